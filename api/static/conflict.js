// One press takes the other person's value of a field, another one brings yours back.
for (const button of document.querySelectorAll("button[data-for]")) {
  const field = document.getElementById(button.dataset.for);
  const isBox = field.type === "checkbox";
  button.hidden = false;
  button.addEventListener("click", () => {
    const isTheirs = button.dataset.taken === "yes";
    const value = isTheirs ? button.dataset.mine : button.dataset.theirs;
    if (isBox) field.checked = value === "yes";
    else {
      if (field.tagName === "SELECT" && ![...field.options].some((each) => each.value === value)) {
        field.append(new Option(value, value));
      }
      field.value = value;
    }
    button.dataset.taken = isTheirs ? "" : "yes";
    button.textContent = isTheirs ? "Use theirs" : "Use mine again";
  });
}
