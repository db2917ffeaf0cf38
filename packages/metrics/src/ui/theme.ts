const KEY = "mini-otp.theme";
const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

/** Follows the theme of the system until the button is pressed. `changed` is called when the colours have changed. */
export function installTheme(button: HTMLButtonElement, changed: () => void): void {
  let theme = stored();
  const apply = () => {
    document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    button.title = "Colours: as the system has them, light, or dark";
    changed();
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] as Theme;
    localStorage.setItem(KEY, theme);
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  apply();
}

function stored(): Theme {
  const theme = localStorage.getItem(KEY);
  return THEMES.find((known) => known === theme) ?? "auto";
}
