export interface TreeCommands {
  open(id: string): void;
  /** Does nothing for a line that cannot be expanded. Returns whether something changed. */
  expand(id: string, open: boolean): boolean;
}

const PAGE_ROWS = 15;

/** The arrow keys of a treegrid. Only one line at a time is in the tab order. */
export function installTreeKeys(grid: HTMLElement, { open, expand }: TreeCommands): void {
  const rows = () => [...grid.querySelectorAll<HTMLElement>(".row[data-id]")];

  grid.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const row = (event.target as HTMLElement).closest<HTMLElement>(".row[data-id]");
    if (row === null) return;
    const all = rows();
    const at = all.indexOf(row);
    const go = (to: number) => focusRow(grid, all[Math.max(0, Math.min(all.length - 1, to))]);
    const id = row.dataset.id ?? "";
    switch (event.key) {
      case "ArrowDown":
        go(at + 1);
        break;
      case "ArrowUp":
        go(at - 1);
        break;
      case "PageDown":
        go(at + PAGE_ROWS);
        break;
      case "PageUp":
        go(at - PAGE_ROWS);
        break;
      case "Home":
        go(0);
        break;
      case "End":
        go(all.length - 1);
        break;
      case "ArrowRight":
        if (!expand(id, true) && row.hasAttribute("aria-expanded")) go(at + 1);
        break;
      case "ArrowLeft":
        if (!expand(id, false)) focusRow(grid, parentOf(all, at));
        break;
      case "Enter":
        open(id);
        break;
      case " ":
        expand(id, row.getAttribute("aria-expanded") !== "true");
        break;
      default:
        return;
    }
    event.preventDefault();
  });

  grid.addEventListener("focusin", ({ target }) => {
    const row = (target as HTMLElement).closest<HTMLElement>(".row[data-id]");
    if (row !== null) makeStop(grid, row);
  });
}

/** Gives the grid its one stop in the tab order, if the line that had it is gone. */
export function keepTabStop(grid: HTMLElement): void {
  if (grid.querySelector('.row[data-id][tabindex="0"]') !== null) return;
  grid.querySelector(".row[data-id]")?.setAttribute("tabindex", "0");
}

export function focusRow(grid: HTMLElement, row: HTMLElement | undefined): void {
  if (row === undefined) return;
  makeStop(grid, row);
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}

function makeStop(grid: HTMLElement, row: HTMLElement): void {
  for (const other of grid.querySelectorAll('.row[tabindex="0"]')) other.setAttribute("tabindex", "-1");
  row.setAttribute("tabindex", "0");
}

function parentOf(rows: readonly HTMLElement[], at: number): HTMLElement | undefined {
  const level = Number(rows[at]?.getAttribute("aria-level"));
  return rows.slice(0, at).findLast((row) => Number(row.getAttribute("aria-level")) < level);
}
