/** What the keyboard asks for. */
export interface KeyActions {
  readonly search: () => void;
  /** Moves the selection down by so many rows. */
  readonly move: (rows: number) => void;
  readonly remove: () => void;
}

/** Keys that work everywhere but where something is typed or chosen. */
export function listenToKeys(actions: KeyActions): void {
  document.addEventListener("keydown", (press) => {
    if (press.ctrlKey || press.metaKey || press.altKey || press.defaultPrevented) return;
    if (press.target instanceof Element && press.target.closest("input, textarea, select") !== null) return;
    switch (press.key) {
      case "/":
        actions.search();
        break;
      case "ArrowDown":
        actions.move(1);
        break;
      case "ArrowUp":
        actions.move(-1);
        break;
      case "Delete":
        actions.remove();
        break;
      default:
        return;
    }
    press.preventDefault();
  });
}
