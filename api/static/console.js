// The live part of the console, sent by the server as it is to be shown; pausing stops listening.
const live = document.getElementById("live");
const liveness = document.getElementById("liveness");
const pause = document.getElementById("pause");
let stream = null;
let isLive = null;

// Told only when it changes: a screen reader must not read the clock every second.
function say(state, text) {
  if (isLive === state) return;
  isLive = state;
  liveness.textContent = text;
  liveness.classList.toggle("on", state === "live");
}

function listen() {
  stream = new EventSource("/console/events");
  stream.addEventListener("live", (event) => {
    const focused = document.activeElement?.closest("#live [aria-label]")?.getAttribute("aria-label");
    const scrolled = [...live.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
    live.innerHTML = event.data; // the server's own template, escaped there; scripts cannot run
    live.querySelectorAll(".scroll").forEach((each, place) => (each.scrollLeft = scrolled[place] ?? 0));
    if (focused) live.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    say("live", "Live");
  });
  stream.addEventListener("error", () => say("lost", "The server does not answer; trying again."));
}

pause.hidden = false;
pause.addEventListener("click", () => {
  const pauses = stream !== null;
  if (pauses) {
    stream.close();
    stream = null;
    say("paused", "Paused");
  } else listen();
  pause.setAttribute("aria-pressed", String(pauses));
  pause.textContent = pauses ? "Go on" : "Pause";
});
addEventListener("pagehide", () => stream?.close());
listen();
