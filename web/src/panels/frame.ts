import type { StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";
import * as view from "../view";
import type { PanelHost, PanelKind } from "./host";

/** A panel of the page, made or not. */
interface Slot {
  readonly kind: PanelKind;
  readonly redraw: view.Invalidation;
  readonly button: view.PanelButton | undefined;
  panel: view.Panel | undefined;
  isMaking: boolean;
  isOpen: boolean;
}

/**
 * Makes the panels when they are first opened, opens and closes them, and tells them what concerns all.
 *
 * At most one panel is open over the board. It moves nothing: the board stays as it is below.
 */
export class PanelFrame {
  private readonly slots: ReadonlyMap<string, Slot>;
  private readonly board = view.byId("board", HTMLElement);
  private readonly over = view.byId("side", HTMLElement);
  private readonly host: PanelHost;
  private symbol: StockSymbol | undefined;

  constructor(kinds: readonly PanelKind[], host: PanelHost) {
    this.host = host;
    this.slots = new Map(kinds.map((kind) => [kind.id, this.slotOf(kind)]));
    this.over.addEventListener("keydown", (press) => {
      const open = [...this.slots.values()].find(({ kind, isOpen }) => kind.place === "over" && isOpen);
      if (press.key !== "Escape" || press.isComposing || open === undefined) return;
      press.preventDefault();
      this.close(open.kind.id);
    });
    for (const slot of this.slots.values()) {
      if (slot.kind.place === "board") this.show(slot);
      else this.make(slot);
    }
  }

  isOpen(id: string): boolean {
    return this.slots.get(id)?.isOpen ?? false;
  }

  /** Opens a panel and moves the focus to it. */
  open(id: string): void {
    const slot = this.slots.get(id);
    if (slot === undefined) return;
    if (!slot.isOpen) {
      if (slot.kind.place === "over") this.closeOver();
      this.show(slot);
    }
    focusPanel(slot);
  }

  /** Scrolls a panel into view if a small screen shows little of it. */
  bringIntoView(id: string): void {
    const node = this.slots.get(id)?.panel?.node;
    if (node === undefined) return;
    const { top, bottom } = node.getBoundingClientRect();
    const seen = Math.min(bottom, innerHeight) - Math.max(top, 0);
    if (seen >= (bottom - top) / 2) return;
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    node.scrollIntoView({ block: "start", behavior });
  }

  toggle(id: string): void {
    if (this.isOpen(id)) this.close(id);
    else this.open(id);
  }

  /** Closes a panel. The focus, if it was there, goes to its button. */
  close(id: string): void {
    const slot = this.slots.get(id);
    if (slot?.isOpen !== true) return;
    const hadFocus = slot.panel?.node.contains(document.activeElement) ?? false;
    slot.isOpen = false;
    if (slot.panel !== undefined) {
      slot.panel.node.hidden = true;
      slot.panel.close();
    }
    if (slot.button !== undefined) slot.button.node.ariaExpanded = "false";
    if (hadFocus) slot.button?.node.focus();
  }

  /** Market data changed or time passed: the open panels are drawn at their next slot, and all badges. */
  readonly invalidate = (): void => {
    for (const { redraw } of this.slots.values()) redraw.invalidate();
  };

  readonly invalidateNow = (): void => {
    for (const { redraw } of this.slots.values()) redraw.invalidateNow();
  };

  select(symbol: StockSymbol | undefined): void {
    this.symbol = symbol;
    for (const panel of this.made) panel.select?.(symbol);
  }

  showList(): void {
    for (const panel of this.made) panel.showList?.();
  }

  translate(strings: Strings): void {
    for (const panel of this.made) {
      view.translateTexts(panel.node, strings);
      panel.translate?.(strings);
    }
  }

  recolour(): void {
    for (const panel of this.made) panel.recolour?.();
  }

  readonly setUpdates = (state: "paused" | "running"): void => {
    for (const panel of this.made) panel.setUpdates?.(state);
  };

  /** Offers a key to the open panels; false if none of them knows it. */
  press(key: string): boolean {
    return [...this.slots.values()].some(({ isOpen, panel }) => isOpen && panel?.press?.(key) === true);
  }

  private get made(): readonly view.Panel[] {
    return [...this.slots.values()].flatMap(({ panel }) => panel ?? []);
  }

  private slotOf(kind: PanelKind): Slot {
    const redraw = this.host.scheduler.add(kind.slots, () => {
      this.draw(slot);
    });
    const button = kind.icon === undefined ? undefined : new view.PanelButton(kind.title, view.icon(kind.icon));
    const slot: Slot = { kind, redraw, button, panel: undefined, isMaking: false, isOpen: false };
    if (button !== undefined) {
      button.node.setAttribute("aria-controls", `panel-${kind.id}`);
      button.node.ariaExpanded = "false";
      button.node.addEventListener("click", () => {
        this.toggle(kind.id);
      });
      view.byId("side-buttons", HTMLElement).append(button.node);
    }
    return slot;
  }

  private draw({ panel, button, isOpen }: Slot): void {
    const strings = this.host.strings();
    if (panel?.badge !== undefined) button?.show(panel.badge(strings));
    if (isOpen) panel?.draw(strings);
  }

  private closeOver(): void {
    for (const { kind } of this.slots.values()) {
      if (kind.place === "over") this.close(kind.id);
    }
  }

  private show(slot: Slot): void {
    slot.isOpen = true;
    if (slot.button !== undefined) slot.button.node.ariaExpanded = "true";
    if (slot.panel === undefined) {
      this.make(slot);
      return;
    }
    slot.panel.node.hidden = false;
    slot.panel.open();
    slot.redraw.invalidateNow();
  }

  /** Makes a panel, after its code is loaded if it is in a chunk of its own. */
  private make(slot: Slot): void {
    if (slot.isMaking) return;
    slot.isMaking = true;
    const made = slot.kind.make({ ...this.host, id: slot.kind.id, redraw: slot.redraw });
    if (!(made instanceof Promise)) {
      this.add(slot, made);
      return;
    }
    made.then(
      (panel) => {
        this.add(slot, panel);
      },
      () => {
        slot.isMaking = false;
        this.host.notify(this.host.strings().notice.loadFailed, { kind: "error" });
      },
    );
  }

  private add(slot: Slot, panel: view.Panel): void {
    const { kind, isOpen } = slot;
    slot.panel = panel;
    panel.node.id = `panel-${kind.id}`;
    panel.node.tabIndex = -1;
    panel.node.hidden = !isOpen;
    if (kind.place === "over") {
      panel.node.classList.add("side-panel");
      panel.head.append(this.closeButton(kind.id));
    }
    this.place(slot, panel.node);
    view.translateTexts(panel.node, this.host.strings());
    panel.select?.(this.symbol);
    if (isOpen) panel.open();
    slot.redraw.invalidateNow();
  }

  /** Puts a panel into the page, in the order of the list. */
  private place({ kind }: Slot, node: HTMLElement): void {
    const box = kind.place === "over" ? this.over : this.board;
    const order = [...this.slots.keys()].map((id) => `panel-${id}`);
    const next = [...box.children].find(({ id }) => order.indexOf(id) > order.indexOf(node.id));
    box.insertBefore(node, next ?? null);
  }

  private closeButton(id: string): HTMLElement {
    const button = view.iconButton("toast-close side-close", "closePanel", "×");
    button.addEventListener("click", () => {
      this.close(id);
    });
    return button;
  }
}

function focusPanel({ panel }: Slot): void {
  if (panel?.focus === undefined) panel?.node.focus();
  else panel.focus();
}
