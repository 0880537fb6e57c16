// The theme: what the system prefers, until a person switches. Runs before anything is painted.
(() => {
  const root = document.documentElement;
  root.classList.add("script");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage can be switched off
    }
  };
  const current = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
  const chosen = remembered();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const show = () => {
      const other = current() === "dark" ? "light" : "dark";
      button.textContent = other === "dark" ? "☾" : "☀";
      button.title = `Switch to ${other} colours`;
      button.setAttribute("aria-label", `Switch to ${other} colours`);
    };
    button.hidden = false;
    show();
    dark.addEventListener("change", show);
    button.addEventListener("click", () => {
      root.dataset.theme = current() === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("theme", root.dataset.theme);
      } catch {
        // then it holds for this page only
      }
      show();
    });
  });
})();
