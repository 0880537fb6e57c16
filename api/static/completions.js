// Completions under the search field: a combobox that arrow keys, Enter, Escape and a click work on.
const TYPING_MS = 120;

export function completing(field, list, address, choose) {
  let waiting = 0;
  let asking = null;
  let typed = field.value;
  let at = -1;

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  close();

  function close() {
    clearTimeout(waiting);
    asking?.abort();
    list.hidden = true;
    list.replaceChildren();
    at = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  // Text only, never markup: what listings hold is completed too.
  function open(values) {
    list.replaceChildren(
      ...values.map((value, place) => {
        const item = document.createElement("li");
        item.id = `completion-${place}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        const known = value.toLowerCase().startsWith(typed.toLowerCase()) ? typed.length : 0;
        const rest = document.createElement("b");
        rest.textContent = value.slice(known);
        item.append(value.slice(0, known), rest);
        item.dataset.value = value;
        return item;
      }),
    );
    at = -1;
    list.hidden = values.length === 0;
    field.setAttribute("aria-expanded", String(values.length > 0));
    field.removeAttribute("aria-activedescendant");
  }

  async function ask() {
    asking?.abort();
    const mine = (asking = new AbortController());
    try {
      const answer = await fetch(`/complete${address().slice(1)}`, { signal: mine.signal });
      if (!answer.ok) return;
      const { completions } = await answer.json();
      if (!mine.signal.aborted && document.activeElement === field) open(completions);
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  }

  function move(step) {
    const items = [...list.children];
    if (!items.length) return;
    at = (at + step + items.length + 1 + 1) % (items.length + 1) - 1;
    items.forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
    if (at < 0) {
      field.value = typed;
      field.removeAttribute("aria-activedescendant");
    } else {
      field.value = items[at].dataset.value;
      field.setAttribute("aria-activedescendant", items[at].id);
      items[at].scrollIntoView({ block: "nearest" });
    }
  }

  field.addEventListener("input", () => {
    typed = field.value;
    clearTimeout(waiting);
    if (typed.trim() === "") close();
    else waiting = setTimeout(ask, TYPING_MS);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) ask();
      else move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      field.value = typed;
      close();
    }
  });
  field.addEventListener("blur", close);
  // Before the field loses the focus, which closes the list.
  list.addEventListener("pointerdown", (event) => {
    const item = event.target.closest("li");
    if (!item) return;
    event.preventDefault();
    field.value = typed = item.dataset.value;
    close();
    choose();
  });
  return { close };
}
