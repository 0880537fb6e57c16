// Ranges on a histogram: drag over the bars, or move either end with the keyboard. Both fill the
// fields that the form sends, so the fields stay the truth and work without this file.

export function ranging(settled) {
  const ranges = [...document.querySelectorAll("fieldset.range")].map((each) => range(each, settled));
  return { follow: () => ranges.forEach((each) => each.follow()) };
}

function range(fieldset, settled) {
  const { name } = fieldset.dataset;
  const [low, high, step] = ["low", "high", "step"].map((each) => Number(fieldset.dataset[each]));
  const chart = fieldset.querySelector(".chart");
  const title = fieldset.querySelector("legend").textContent;
  const [from, to] = ["min", "max"].map((end) => document.getElementById(`${name}_${end}`));
  const ends = [slider("least", `${title}, from`), slider("most", `${title}, to`)];
  chart.append(...ends);

  function slider(kind, label) {
    const made = document.createElement("input");
    Object.assign(made, { type: "range", min: low, max: high, step, className: kind });
    made.setAttribute("aria-label", label);
    return made;
  }

  const bare = (field) => {
    const digits = field.value.replace(/[$,\s]/g, "");
    return /^\d+$/.test(digits) ? Number(digits) : null;
  };
  const worded = (value) => (name === "price" ? `$${value.toLocaleString("en-US")}` : String(value));

  // The thumbs and the bars as the fields say; an end of the scale is no bound at all.
  function follow() {
    const least = bare(from) ?? low;
    const most = bare(to) ?? high;
    ends[0].value = least;
    ends[1].value = most;
    ends[0].setAttribute("aria-valuetext", bare(from) === null ? "any" : worded(least));
    ends[1].setAttribute("aria-valuetext", bare(to) === null ? "any" : worded(most));
    // Where both thumbs meet, the one that can still move must be on top.
    ends[0].classList.toggle("above", least > (low + high) / 2);
    for (const bar of chart.querySelectorAll("rect")) {
      const isIn =
        (bare(from) === null || Number(bar.dataset.high) > least) &&
        (bare(to) === null || Number(bar.dataset.low) <= most);
      bar.setAttribute("class", isIn ? "in" : "out");
    }
  }

  function bound(least, most) {
    from.value = least <= low ? "" : least;
    to.value = most >= high ? "" : most;
    follow();
  }

  ends[0].addEventListener("input", () => {
    bound(Math.min(Number(ends[0].value), Number(ends[1].value)), Number(ends[1].value));
  });
  ends[1].addEventListener("input", () => {
    bound(Number(ends[0].value), Math.max(Number(ends[0].value), Number(ends[1].value)));
  });
  for (const end of ends) end.addEventListener("change", settled);
  for (const field of [from, to]) field.addEventListener("input", follow);

  // Dragging over the bars chooses what is dragged over.
  let began = null;
  const valueAt = (event) => {
    const box = chart.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    return low + Math.round(((high - low) * share) / step) * step;
  };
  chart.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("input")) return;
    began = valueAt(event);
    chart.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  chart.addEventListener("pointermove", (event) => {
    if (began === null) return;
    const now = valueAt(event);
    bound(Math.min(began, now), Math.max(began, now));
  });
  chart.addEventListener("pointerup", (event) => {
    if (began === null) return;
    const now = valueAt(event);
    // A click chooses the bar under it.
    if (now === began) bound(Math.max(now - step, low), Math.min(now + step, high));
    began = null;
    settled();
  });
  chart.addEventListener("pointercancel", () => (began = null));

  follow();
  return { follow };
}
