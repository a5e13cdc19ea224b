// What the check found, in the style of a rejected submission's page.

import { plural } from "./sizes.js";

const LISTED = 50;

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
};

const problemItem = ({ code, message, hint, file }) => {
  const head = element("p", "code", element("span", "", code));
  if (file) head.append(element("span", "", file));
  return element("li", "", head, element("p", "what", message), element("p", "todo", hint));
};

const problemSection = (title, problems, className) => {
  const heading = element("div", "section-head", element("h2", "", title));
  if (className === "problems") heading.append(element("p", "", plural(problems.length, "problem")));
  const list = element("ul", className, ...problems.slice(0, LISTED).map(problemItem));
  const section = element("section", "", heading, list);
  const unlisted = problems.length - LISTED;
  if (unlisted > 0)
    section.append(element("p", "muted small more-below", `And ${unlisted.toLocaleString("en")} more.`));
  return section;
};

const factsheetPanel = (rows) => {
  const facts = element("dl", "facts");
  for (const [label, value] of rows) facts.append(element("dt", "", label), element("dd", "", value));
  const title = element("h2", "", "Fact sheet ", element("span", "badge", "as read from your readme"));
  return element("section", "panel", title, facts);
};

// Puts the report into `place`; returns the first error's item, or null.
export const showReport = (place, { errors, warnings, factsheet }) => {
  const sections = [];
  if (errors.length) sections.push(problemSection("What to fix", errors, "problems"));
  if (warnings.length) sections.push(problemSection("Worth knowing", warnings, "problems minor"));
  if (factsheet && !errors.length) sections.push(factsheetPanel(factsheet));
  place.replaceChildren(...sections);
  return place.querySelector(".problems:not(.minor) > li");
};
