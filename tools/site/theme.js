// The reader's choice of theme, or the system's until there is one. Storage may be closed to files.
const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
const dark = matchMedia("(prefers-color-scheme: dark)");
const current = () => kept() ?? (dark.matches ? "dark" : "light");
const paint = (theme) => {
  document.documentElement.setAttribute("theme", theme);
  const button = document.getElementById("theme");
  if (button) button.textContent = theme === "dark" ? "Light" : "Dark";
};
paint(current());
dark.addEventListener("change", () => paint(current()));
addEventListener("DOMContentLoaded", () => {
  paint(current());
  document.getElementById("theme").addEventListener("click", () => {
    const now = document.documentElement.getAttribute("theme") === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", now); } catch { /* the choice lasts for this page */ }
    paint(now);
  });
});
// Paper is light, whatever the screen is.
addEventListener("beforeprint", () => document.documentElement.setAttribute("theme", "light"));
addEventListener("afterprint", () => paint(current()));
