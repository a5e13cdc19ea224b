// Small comforts. Every page works without this file.

const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");

const remember = (theme) => {
  try {
    if (theme) localStorage.setItem("theme", theme);
    else localStorage.removeItem("theme");
  } catch {
    // Storage may be forbidden: the choice then lasts for this page.
  }
};

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const current = root.dataset.theme ?? (systemDark.matches ? "dark" : "light");
    const next = current === "dark" ? "light" : "dark";
    // Back at what the system says, the page follows the system again.
    if (next === (systemDark.matches ? "dark" : "light")) {
      delete root.dataset.theme;
      remember(null);
    } else {
      root.dataset.theme = next;
      remember(next);
    }
  });
}

// A menu closes when one clicks elsewhere or presses Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Delegated, so that what htmx swaps in works too.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent.trim();
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl+C";
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
  }
  setTimeout(() => {
    button.textContent = label;
  }, 1600);
});

// Says aloud what changed, once, and not what is swapped in every second.
document.addEventListener("htmx:afterSettle", () => {
  const text = document.querySelector("[data-announce]")?.textContent.trim();
  const announcement = document.getElementById("announcement");
  if (text && announcement && announcement.textContent !== text) announcement.textContent = text;
});

const humanSize = (bytes) => {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let unit = 0;
  let size = bytes;
  while (size >= 999.95 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit && size < 99.95 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
};

// The place to drop a zip: shows the file's name and size, and says at once when it is too large.
for (const drop of document.querySelectorAll("[data-drop]")) {
  const input = drop.querySelector("input[type=file]");
  const title = drop.querySelector("[data-drop-title]");
  const detail = drop.querySelector("[data-drop-detail]");
  const limit = Number(drop.dataset.limit || 0);
  const atRest = [title.textContent, detail.textContent];
  drop.classList.add("ready");
  const show = () => {
    const file = input.files[0];
    const tooLarge = Boolean(file && limit && file.size > limit);
    title.textContent = file ? file.name : atRest[0];
    detail.textContent = !file
      ? atRest[1]
      : tooLarge
        ? `${humanSize(file.size)}: larger than the ${humanSize(limit)} that this phase takes`
        : `${humanSize(file.size)}. Click to choose another file.`;
    input.setCustomValidity(tooLarge ? `The file is larger than ${humanSize(limit)}.` : "");
  };
  input.addEventListener("change", show);
  for (const [name, over] of [
    ["dragenter", true],
    ["dragover", true],
    ["dragleave", false],
    ["drop", false],
  ]) {
    drop.addEventListener(name, () => drop.classList.toggle("over", over));
  }
  show();
}

// One click is one submission.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    button.textContent = button.dataset.busy ?? "Please wait";
  });
}
addEventListener("pageshow", (event) => {
  // Back through the history: the button must work again.
  if (event.persisted && document.querySelector("form[data-once] button:disabled")) location.reload();
});

// A date in the reader's own time zone, in a tooltip beside the challenge's.
for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (!Number.isNaN(moment.valueOf())) {
    time.title = `${moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "short" })} where you are`;
  }
}
