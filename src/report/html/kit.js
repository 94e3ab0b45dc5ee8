// The data of the page, and elements made of it. Text of the evidence becomes text nodes and nothing else: no markup is
// ever parsed here, no address is ever made of it.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const word = (number) => (number === undefined ? "" : data.texts[number]);
const words = (name) => name.replaceAll("_", " ");
const byId = (id) => document.getElementById(id);
const PAGE = 50;
const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const STATES = ["live", "replayable", "unknown", "guarded", "bound", "spent", "revoked", "expired", "inert"];

/** An element with attributes and children; strings become text. */
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  return fill(element, attributes, children);
}
function draw(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  return fill(element, attributes, children);
}
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== "" && child !== undefined));
  return element;
}
const called = (role) => (role === "none" ? "message" : words(role));
const moment = (at) => (at ? at.replace("T", " ").replace(/\.\d+/, "") : "");
/** The middle of a long text is the least of it. */
const short = (text, most) =>
  text.length <= most ? text : text.slice(0, Math.ceil(most / 2) - 1) + "…" + text.slice(1 - Math.floor(most / 2));

/** Sections of RFCs become links; nothing else does. */
function references(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(/RFC (\d{3,5})(?: §(\d+(?:\.\d+)*))?/g)) {
    const section = found[2] ? "#section-" + found[2] : "";
    parts.push(text.slice(from, found.index));
    const href = "https://www.rfc-editor.org/rfc/rfc" + found[1] + section;
    parts.push(make("a", { href, rel: "noreferrer" }, found[0]));
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)].filter((part) => part !== "");
}
