"""Problems of a submission itself: errors, which reject the archive, and warnings."""

from __future__ import annotations

from scoring.catalogue.entry import CatalogueEntry

ARCHIVE_ERRORS = {
    "archive-empty": CatalogueEntry(
        "error",
        "{file} is empty (0 bytes).",
        "Make the zip again, look at its size, and choose the new file.",
    ),
    "archive-not-zip": CatalogueEntry(
        "error",
        "{file} is not a zip archive.",
        "Pack the images with “zip -r submission.zip submission/”; 7z, rar and tar.gz are not read.",
    ),
    "archive-truncated": CatalogueEntry(
        "error",
        "{file} ends too early: the table of contents at the zip's end is missing.",
        "It was probably cut short while it was written or copied; make the zip again.",
    ),
    "archive-damaged": CatalogueEntry(
        "error",
        "{file} is damaged: the zip's table of contents cannot be read.",
        "Make the zip again, and test it with “unzip -t” before you send it.",
    ),
    "archive-no-files": CatalogueEntry(
        "error",
        "{file} is a zip without a file in it.",
        "Pack one file for each input image, and a readme.txt.",
    ),
    "archive-encrypted": CatalogueEntry(
        "error",
        "{file} is encrypted (such files in the archive: {count}).",
        "Make the zip again without a password.",
    ),
    "unsupported-compression": CatalogueEntry(
        "error",
        "{file} is packed with a method other than Store and Deflate (such files in the archive: {count}).",
        "Make the zip with “zip -r”, or choose Deflate; Deflate64, LZMA and BZip2 are not read.",
    ),
    "too-many-entries": CatalogueEntry(
        "error",
        "{file} lists more than {limit} files.",
        "Pack only one file for each input image, and a readme.txt.",
    ),
    "entry-too-large": CatalogueEntry(
        "error",
        "{file} would unpack to {size_bytes} bytes; at most {limit_bytes} are allowed for one file.",
        "Pack only the images, as the protocol has them, and a readme.txt.",
    ),
    "total-too-large": CatalogueEntry(
        "error",
        "{file} would unpack to {size_bytes} bytes; at most {limit_bytes} are allowed.",
        "Pack only the images, as the protocol has them, and a readme.txt.",
    ),
    "compression-ratio": CatalogueEntry(
        "error",
        "{file} would unpack to more than {limit} times its packed size, as a zip bomb does.",
        "Pack only the images, as the protocol has them, and a readme.txt.",
    ),
    "overlapping-entries": CatalogueEntry(
        "error",
        "{file} lists files that share the same bytes, as a zip bomb does.",
        "Make the zip again with an ordinary zip program.",
    ),
    "entry-contradicted": CatalogueEntry(
        "error",
        "{file} is described in two ways: the zip's table of contents and the file itself differ in {what}.",
        "Make the zip again with an ordinary zip program.",
    ),
    "names-collide": CatalogueEntry(
        "error",
        "{file} and {other} have the same name on systems that do not tell capitals apart.",
        "Leave one of the two in the zip.",
    ),
    "unsafe-path": CatalogueEntry(
        "error",
        "The path “{file}” is absolute, leads out of the archive or contains a backslash.",
        "Go to the folder above your submission folder, and run “zip -r submission.zip submission/”.",
    ),
    "symlink": CatalogueEntry(
        "error",
        "{file} is a link or another special file, not an ordinary one.",
        "Pack the files themselves: “zip -r” follows links unless it is told “-y”.",
    ),
    "several-folders": CatalogueEntry(
        "error",
        "{file} holds images in several folders: {folders}.",
        "Put all images into one folder, or at the top of the zip.",
    ),
    "nested-folder": CatalogueEntry(
        "error",
        "{file} lies more than one folder deep.",
        "Put the images at the top of the zip, or into one folder there.",
    ),
    "nested-archive": CatalogueEntry(
        "error",
        "{file} is an archive inside the archive, and images are missing.",
        "Put the images themselves into the zip that you upload.",
    ),
}

NAME_ERRORS = {
    "image-missing": CatalogueEntry(
        "error",
        "{file} is missing.",
        "Add this image: every input image needs one file of the same name.",
    ),
    "image-surplus": CatalogueEntry(
        "error",
        "{file} belongs to no input image of this phase.",
        "Take it out, and check that you predicted this phase's inputs, of this track.",
    ),
    "image-misnamed": CatalogueEntry(
        "error",
        "{file} is misnamed: no input image has exactly this name, and {expected} is missing.",
        "If it is that image, rename it to {expected}.",
    ),
    "image-twice": CatalogueEntry(
        "error",
        "{file} is in the archive {count} times.",
        "Leave one file of this name in the zip, in one folder.",
    ),
    "wrong-format": CatalogueEntry(
        "error",
        "{file} is not a {suffix} file, and {expected} is missing.",
        "Save the image as {expected}; a new name alone does not make it a {suffix} file.",
    ),
}

IMAGE_ERRORS = {
    "npy-malformed": CatalogueEntry(
        "error",
        "{file} is not a valid .npy file: {reason}.",
        "Save the array with numpy.save.",
    ),
    "npy-header-too-long": CatalogueEntry(
        "error",
        "The header of {file} is {size_bytes} bytes long; at most {limit_bytes} are read.",
        "Save the plain array with numpy.save.",
    ),
    "npy-claims-too-much": CatalogueEntry(
        "error",
        "The header of {file} announces {size_bytes} bytes of pixels; at most {limit_bytes} are allowed.",
        "Save the packed RAW with numpy.save: {expected}.",
    ),
    "npy-wrong-length": CatalogueEntry(
        "error",
        "{file} holds {actual_bytes} bytes of pixels where its header announces {announced_bytes}.",
        "It was probably cut short while it was written; save it again with numpy.save.",
    ),
    "pickled-array": CatalogueEntry(
        "error",
        "{file} holds pickled Python objects, which are never opened.",
        "Save a plain array: image.astype(numpy.uint16), not a list, a dict or a tensor.",
    ),
    "wrong-shape": CatalogueEntry(
        "error",
        "{file} has shape {actual}; the protocol expects {expected}.",
        "Save the image as height × width × channels, neither cropped nor transposed.",
    ),
    "wrong-dtype": CatalogueEntry(
        "error",
        "{file} holds {actual}; the protocol expects {expected}.",
        "Scale to 0..{white_level}, round, clip, and convert with .astype(numpy.{expected}).",
    ),
    "looks-normalised": CatalogueEntry(
        "error",
        "{file} holds {actual} values between 0 and 1 and looks normalised: "
        "the protocol expects 0..{white_level} in {expected}.",
        "Multiply by the level you normalised with (this camera's white level is {white_level}), round, clip, "
        "and convert with .astype(numpy.{expected}).",
    ),
    "not-finite": CatalogueEntry(
        "error",
        "{file} contains NaN or infinity.",
        "Look for a division by zero or a logarithm of zero, then save finite values as {expected}.",
    ),
    "negative-values": CatalogueEntry(
        "error",
        "{file} holds {actual} with negative values; the protocol expects {expected}.",
        "Clip to 0..{white_level} before you convert with .astype(numpy.{expected}).",
    ),
    "value-above-max": CatalogueEntry(
        "error",
        "{file} contains the value {actual}; the largest that the protocol allows is {limit}.",
        "Clip to 0..{white_level} before the conversion; a negative value cast to {expected} becomes large too.",
    ),
    "npz-malformed": CatalogueEntry(
        "error",
        "{file} is not a valid .npz file: {reason}.",
        "Save it with numpy.savez(file, raw=image, max_val=level), and with nothing else in it.",
    ),
    "max-val-invalid": CatalogueEntry(
        "error",
        "{file} has a max_val that is not one positive number of at most 65535.",
        "Take over max_val from the input image as it is.",
    ),
    "max-val-differs": CatalogueEntry(
        "error",
        "{file} has the max_val {actual}, which is not that of its input image.",
        "Take over max_val from the input image as it is, and scale the prediction to it.",
    ),
    "picture-malformed": CatalogueEntry(
        "error",
        "{file} is not a {format} picture that can be read to its end.",
        "Save it again as {format}; it was probably cut short, or has another format than its name says.",
    ),
    "picture-too-large": CatalogueEntry(
        "error",
        "{file} announces more than {limit} pixels.",
        "Save the picture in the size of its reference.",
    ),
    "wrong-picture-mode": CatalogueEntry(
        "error",
        "{file} is not a plain RGB picture with 8 bits for each channel.",
        "Convert it before you save it, for instance with image.convert(“RGB”): no palette, grey, alpha or CMYK.",
    ),
    "crc-mismatch": CatalogueEntry(
        "error",
        "{file} is damaged: its checksum in the zip does not match its content.",
        "Make the zip again, and test it with “unzip -t” before you send it.",
    ),
    "entry-damaged": CatalogueEntry(
        "error",
        "{file} cannot be unpacked: its packed data is damaged or ends too early.",
        "Make the zip again, and test it with “unzip -t” before you send it.",
    ),
    "more-problems": CatalogueEntry(
        "error",
        "{file} has {count} more problems than are listed.",
        "Mend the ones that are listed, then check the archive again.",
    ),
}

WARNINGS = {
    "junk-ignored": CatalogueEntry(
        "warning",
        "{file} was added by the operating system and is ignored (such files: {count}).",
        "Nothing needs to be done; “zip -r” with “-x '*__MACOSX*' -x '*.DS_Store'” leaves them out.",
    ),
    "file-ignored": CatalogueEntry(
        "warning",
        "{file} is neither an image of this phase nor a readme, and is ignored.",
        "Leave it out next time to keep the upload small.",
    ),
    "more-files-ignored": CatalogueEntry(
        "warning",
        "{file} holds {count} more files that are ignored.",
        "Leave them out next time to keep the upload small.",
    ),
    "readme-missing": CatalogueEntry(
        "warning",
        "{file} has no readme.txt, so the fact sheet stays empty.",
        "Add a readme.txt with the runtime per image, CPU or GPU, extra data, and a description.",
    ),
    "readme-unreadable": CatalogueEntry(
        "warning",
        "{file} could not be read as a fact sheet.",
        "Write four lines, each with a colon before its value: runtime per image [s], CPU[1] / GPU[0], "
        "Extra Data [1] / No Extra Data [0], description.",
    ),
    "readme-incomplete": CatalogueEntry(
        "warning",
        "{file} does not say clearly: {fields}.",
        "Fill in these lines of the readme; the scores do not depend on them.",
    ),
    "images-all-zero": CatalogueEntry(
        "warning",
        "{file} is zero everywhere (such images: {count}).",
        "Check that the prediction was not rounded to zero: scale to 0..{white_level} before the conversion.",
    ),
    "column-undefined": CatalogueEntry(
        "warning",
        "{file} has no value for the column {column}: {reason}.",
        "Without it the submission is not ranked where this column orders the board; see how the track is scored.",
    ),
    "operand-undeclared": CatalogueEntry(
        "warning",
        "{file} has no value for the column {column}: the readme does not declare the {what}.",
        "Add a line with a colon before its value to the readme; see how the track is scored.",
    ),
    "operand-implausible": CatalogueEntry(
        "warning",
        "{file} declares a {what} of {actual}, which is not between {least} and {most}: it counts as not declared.",
        "Check the number and its unit in the readme.",
    ),
    "limit-undeclared": CatalogueEntry(
        "warning",
        "{file} does not declare its {what}, which this track limits to {limit}.",
        "Add a line with a colon before its value to the readme; until then the submission is not eligible.",
    ),
    "limit-exceeded": CatalogueEntry(
        "warning",
        "{file} declares {actual} {what}; this track allows {limit}.",
        "It is scored all the same, and marked as not eligible.",
    ),
    "values-look-8-bit": CatalogueEntry(
        "warning",
        "{file} holds no value above 255 in any image, as if the images were 8-bit.",
        "If they are, scale them to 0..{white_level}.",
    ),
}
