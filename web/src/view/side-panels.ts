import { byId } from "./dom";

/** A panel over the board, opened by a button in the footer. It makes its own nodes. */
export interface SidePanel {
  readonly id: string;
  readonly node: HTMLElement;
  /** Opens and closes the panel. */
  readonly button: HTMLButtonElement;
  /** The panel was opened: it takes the focus. */
  focus(): void;
}

/** The panels over the board. At most one is open. They move nothing: the board stays as it is below. */
export class SidePanels {
  private readonly box = byId("side", HTMLElement);
  private readonly buttons = byId("side-buttons", HTMLElement);
  private readonly panels = new Map<string, SidePanel>();
  private readonly changed: () => void;
  private openId: string | undefined;

  /** `changed` is called when a panel was opened or closed. */
  constructor(changed: () => void) {
    this.changed = changed;
    this.box.addEventListener("keydown", (press) => {
      if (press.key !== "Escape" || press.isComposing) return;
      press.preventDefault();
      this.close();
    });
  }

  add(panel: SidePanel): void {
    const { id, node, button } = panel;
    node.id = `side-${id}`;
    node.hidden = true;
    button.setAttribute("aria-controls", node.id);
    button.ariaExpanded = "false";
    button.addEventListener("click", () => {
      this.toggle(id);
    });
    this.box.append(node);
    this.buttons.append(button);
    this.panels.set(id, panel);
  }

  isOpen(id: string): boolean {
    return this.openId === id;
  }

  open(id: string): void {
    if (this.openId !== id) this.show(id);
    this.panels.get(id)?.focus();
  }

  toggle(id: string): void {
    if (this.openId === id) this.close();
    else this.open(id);
  }

  /** Closes the open panel. The focus, if it was there, goes to its button. */
  close(): void {
    const hadFocus = this.box.contains(document.activeElement);
    const button = this.openId === undefined ? undefined : this.panels.get(this.openId)?.button;
    this.show(undefined);
    if (hadFocus) button?.focus();
  }

  private show(id: string | undefined): void {
    this.openId = id;
    for (const { id: one, node, button } of this.panels.values()) {
      node.hidden = one !== id;
      button.ariaExpanded = String(one === id);
    }
    this.changed();
  }
}
