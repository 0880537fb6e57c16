// Search as you type: the same addresses that links and the form lead to, fetched and swapped in.
// Without this file the page works as a plain form.
import { completing } from "./completions.js";
import { ranging } from "./ranges.js";

const TYPING_MS = 160;
const form = document.getElementById("search");
const words = document.getElementById("q");
let typing = 0;
let asking = null;

// The address that the form as it stands asks for, without what is empty.
function address() {
  const given = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value.trim() !== "") given.append(name, value.trim());
  }
  const text = given.toString();
  return text ? `/?${text}` : "/";
}

// Put the parts of another page of results into this one, keeping what is open and focused.
function swap(page) {
  const focused = document.activeElement?.id;
  const open = [...document.querySelectorAll("#choices details[open], #how[open]")].map((each) => each.id);
  for (const part of document.querySelectorAll("[data-swap]")) {
    const fresh = page.getElementById(part.id);
    if (fresh) part.replaceWith(document.adoptNode(fresh));
  }
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused && document.activeElement?.id !== focused) {
    document.getElementById(focused)?.focus({ preventScroll: true });
  }
  document.title = page.title;
}

// Make the form say what an address asks for: after going back, or following a link.
function restore(page) {
  for (const field of form.elements) {
    if (field.type === "checkbox" || field.type === "submit" || !field.id) continue;
    const fresh = page.getElementById(field.id);
    if (fresh) field.value = fresh.value;
  }
}

async function show(url, { history: kind, restores = false, scrolls = false }) {
  asking?.abort();
  const mine = (asking = new AbortController());
  document.body.classList.add("asking");
  try {
    const answer = await fetch(url, { signal: mine.signal, headers: { accept: "text/html" } });
    const text = await answer.text();
    if (mine.signal.aborted) return;
    if (!answer.ok) {
      location.assign(url);
      return;
    }
    if (kind === "push") history.pushState(null, "", url);
    if (kind === "replace") history.replaceState(null, "", url);
    const page = new DOMParser().parseFromString(text, "text/html");
    if (restores) restore(page);
    swap(page);
    ranges.follow();
    if (scrolls) document.getElementById("count").scrollIntoView({ block: "center" });
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
  } finally {
    if (asking === mine) document.body.classList.remove("asking");
  }
}

const shown = () => location.pathname + location.search;

// While typing one entry of the history changes; a pause begins the next one.
let isTyping = false;
function typed() {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const url = address();
    if (url !== shown()) show(url, { history: isTyping ? "replace" : "push" });
    isTyping = true;
  }, TYPING_MS);
}

function settled() {
  clearTimeout(typing);
  isTyping = false;
  const url = address();
  if (url !== shown()) show(url, { history: "push" });
}

words.addEventListener("input", typed);
words.addEventListener("blur", () => (isTyping = false));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  completions.close();
  settled();
});
document.addEventListener("change", (event) => {
  if (event.target.form === form && event.target !== words) settled();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".pages a, .chips a");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const isPage = link.closest(".pages") !== null;
  show(link.getAttribute("href"), { history: "push", restores: true, scrolls: isPage });
});
window.addEventListener("popstate", () => show(shown(), { restores: true }));

const ranges = ranging(settled);
const completions = completing(words, document.getElementById("completions"), address, settled);
