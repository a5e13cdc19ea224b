// What the site uses of Uppy: its core and the uploader in parts.
export { default as AwsS3 } from "@uppy/aws-s3";
export { Uppy } from "@uppy/core";
