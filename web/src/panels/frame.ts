import type { StockSymbol } from "@tapecast/client";
import type { Strings } from "../strings";
import * as view from "../view";
import { Arrangement } from "./arrangement";
import type { PanelHost, PanelKind } from "./host";

/** A panel of the page, made or not. */
interface Slot {
  readonly kind: PanelKind;
  readonly redraw: view.Invalidation;
  readonly button: view.PanelButton | undefined;
  panel: view.Panel | undefined;
  isMaking: boolean;
  /** The user opened it and waits for its code. */
  takesFocus: boolean;
  isOpen: boolean;
  /** The panel's own window, if it has one. */
  popup: Window | undefined;
}

/**
 * Makes the panels when they are first opened, opens and closes them, and tells them what concerns all.
 *
 * A panel is on the board, in a window of its own, or over the board. At most one is over it; that one moves nothing.
 */
export class PanelFrame {
  private readonly slots: ReadonlyMap<string, Slot>;
  private readonly arrangement: Arrangement;
  private readonly over = view.byId("side", HTMLElement);
  private readonly host: PanelHost;
  private symbol: StockSymbol | undefined;
  private maximised: Slot | undefined;

  constructor(kinds: readonly PanelKind[], host: PanelHost) {
    this.host = host;
    const first = kinds.flatMap(({ id, place }) => (place === "board" ? [id] : []));
    this.arrangement = new Arrangement(kinds.map(({ id }) => id), first, {
      nodeOf: (id) => this.nodeOnBoard(id),
      labelOf: ([before, after]) => host.strings().resizePanels(this.titleOf(before), this.titleOf(after)),
      rows: host.rows,
      formChanged: () => {
        this.restore();
      },
    });
    this.slots = new Map(kinds.map((kind) => [kind.id, this.slotOf(kind)]));
    view.makePanelList({
      panels: () => kinds.map(({ id }) => ({ id, title: this.titleOf(id), isOpen: this.isOpen(id) })),
      setOpen: (id, isOpen) => {
        if (isOpen) this.show(id);
        else this.close(id);
      },
      reset: () => {
        this.reset();
      },
      strings: host.strings,
    });
    this.over.addEventListener("keydown", (press) => {
      const open = [...this.slots.values()].find((slot) => slot.isOpen && this.isOver(slot));
      if (press.key !== "Escape" || press.isComposing || open === undefined) return;
      press.preventDefault();
      this.close(open.kind.id);
    });
    for (const slot of this.slots.values()) {
      if (this.arrangement.has(slot.kind.id)) this.start(slot);
      else if (slot.button !== undefined && slot.kind.made !== "whenOpened") this.make(slot);
    }
  }

  isOpen(id: string): boolean {
    return this.slots.get(id)?.isOpen ?? false;
  }

  /** Opens a panel and moves the focus to it. */
  open(id: string): void {
    const slot = this.slots.get(id);
    if (slot === undefined) return;
    if (this.maximised !== slot && !this.isOver(slot)) this.restore();
    this.show(id);
    slot.takesFocus = slot.panel === undefined;
    if (slot.panel === undefined) return;
    slot.popup?.focus();
    if (slot.panel.focus === undefined) slot.panel.node.focus();
    else slot.panel.focus();
  }

  /** The keys that open and close panels. */
  get keys(): readonly view.PanelKey[] {
    return [...this.slots.values()].flatMap(({ kind }) => kind.key ?? []);
  }

  toggle(id: string): void {
    if (this.isOpen(id)) this.close(id);
    else this.open(id);
  }

  /** Closes a panel. The focus, if it was there, goes to what opens it again. */
  close(id: string): void {
    const slot = this.slots.get(id);
    if (slot?.isOpen !== true) return;
    const hadFocus = slot.panel?.node.contains(document.activeElement) ?? false;
    if (this.maximised === slot) this.restore();
    slot.isOpen = false;
    slot.popup?.close();
    this.arrangement.remove(id);
    if (slot.panel !== undefined) {
      slot.panel.node.hidden = true;
      slot.panel.close();
    }
    if (slot.button !== undefined) slot.button.node.ariaExpanded = "false";
    if (hadFocus) (slot.button?.node ?? view.byId("panels-button", HTMLElement)).focus();
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

  /** Market data changed or time passed: the open panels are drawn at their next slot, and all badges. */
  readonly invalidate = (): void => {
    for (const { redraw, isOpen, button } of this.slots.values()) {
      if (isOpen || button !== undefined) redraw.invalidate();
    }
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
    for (const slot of this.slots.values()) {
      if (slot.panel === undefined) continue;
      this.translatePanel(slot, slot.panel, strings);
      slot.panel.translate?.(strings);
    }
    this.arrangement.translate();
  }

  /** Colours or sizes changed. */
  restyle(): void {
    this.arrangement.apply();
    for (const panel of this.made) panel.restyle?.();
  }

  readonly setUpdates = (state: "paused" | "running"): void => {
    for (const panel of this.made) panel.setUpdates?.(state);
  };

  /** Opens or closes the panel of this key, or offers it to the open panels; false if none of them knows it. The one with the focus is asked first. */
  press(key: string): boolean {
    if (key === "Escape" && this.maximised !== undefined) {
      this.restore();
      return true;
    }
    const named = [...this.slots.values()].find(({ kind }) => kind.key?.key === key);
    if (named !== undefined) {
      this.toggle(named.kind.id);
      return true;
    }
    const open = [...this.slots.values()].filter(({ isOpen }) => isOpen).flatMap(({ panel }) => panel ?? []);
    const focused = open.filter(({ node }) => node.contains(node.ownerDocument.activeElement));
    return [...focused, ...open].some((panel) => panel.press?.(key) === true);
  }

  /** True if an open panel shows the error that the server just sent. */
  showsError(): boolean {
    return [...this.slots.values()].some(({ isOpen, panel }) => isOpen && panel?.showsError?.() === true);
  }

  private get made(): readonly view.Panel[] {
    return [...this.slots.values()].flatMap(({ panel }) => panel ?? []);
  }

  private titleOf(id: string): string {
    const kind = this.slots.get(id)?.kind;
    if (kind === undefined) return id;
    const title = this.host.strings().page[kind.title];
    return kind.number === undefined ? title : `${title} ${kind.number}`;
  }

  private translatePanel({ kind, popup }: Slot, { node }: view.Panel, strings: Strings): void {
    view.translateTexts(node, strings);
    node.ariaLabel = this.titleOf(kind.id);
    if (popup !== undefined) popup.document.title = node.ariaLabel;
  }

  private isOver({ kind }: Slot): boolean {
    return kind.place === "over" && !this.arrangement.has(kind.id);
  }

  private nodeOnBoard(id: string): HTMLElement | undefined {
    const slot = this.slots.get(id);
    return slot?.popup === undefined ? slot?.panel?.node : undefined;
  }

  private slotOf(kind: PanelKind): Slot {
    const redraw = this.host.scheduler.add(kind.slots, () => {
      this.draw(slot);
    });
    const button = kind.icon === undefined ? undefined : new view.PanelButton(kind.title, view.icon(kind.icon));
    const slot: Slot = { kind, redraw, button, panel: undefined, isMaking: false, takesFocus: false, isOpen: false, popup: undefined };
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

  /** Opens a panel where it was, or else over the board, or on it. */
  private show(id: string): void {
    const slot = this.slots.get(id);
    if (slot === undefined || slot.isOpen) return;
    if (slot.kind.place === "over") this.closeOver();
    else this.arrangement.add(id);
    this.start(slot);
  }

  private closeOver(): void {
    for (const slot of this.slots.values()) {
      if (slot.isOpen && this.isOver(slot) && slot.popup === undefined) this.close(slot.kind.id);
    }
  }

  private start(slot: Slot): void {
    slot.isOpen = true;
    if (slot.button !== undefined) slot.button.node.ariaExpanded = "true";
    if (slot.panel === undefined) {
      this.make(slot);
      return;
    }
    this.put(slot, slot.panel);
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
        if (slot.isOpen && slot.takesFocus) this.open(slot.kind.id);
      },
      () => {
        slot.isMaking = false;
        slot.isOpen = false;
        this.arrangement.remove(slot.kind.id);
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
    this.addControls(slot, panel);
    this.put(slot, panel);
    this.translatePanel(slot, panel, this.host.strings());
    panel.select?.(this.symbol);
    if (isOpen) panel.open();
    slot.redraw.invalidateNow();
  }

  private addControls(slot: Slot, { node, head }: view.Panel): void {
    const { id, place } = slot.kind;
    const { button, menu } = view.makePanelMenu({
      abilities: () => this.abilitiesOf(slot),
      move: (direction) => {
        this.arrangement.move(id, direction);
        this.order();
        button.focus();
      },
      run: (command) => {
        this.run(slot, command);
      },
      strings: this.host.strings,
    });
    head.append(button);
    node.append(menu);
    if (place === "over") {
      const close = view.iconButton("toast-close side-close", "closePanel", view.icon("close"));
      close.addEventListener("click", () => {
        this.close(id);
      });
      head.append(close);
    }
    view.makeDraggable(head, id, {
      canMove: () => this.arrangement.isTiled && this.arrangement.has(id) && slot.popup === undefined && this.maximised === undefined,
      targets: () => this.arrangement.open.flatMap((other) => {
        const target = this.nodeOnBoard(other);
        return target === undefined ? [] : [[other, target] as const];
      }),
      drop: (target, where) => {
        this.arrangement.drop(id, target, where);
        this.order();
      },
    });
  }

  private abilitiesOf(slot: Slot): view.PanelAbilities {
    const { arrangement } = this;
    const isDocked = arrangement.has(slot.kind.id);
    if (slot.popup !== undefined) return { moves: [], commands: ["popIn", "closePanel"] };
    if (this.maximised === slot) return { moves: [], commands: ["restore", "closePanel"] };
    const commands: view.PanelCommand[] = isDocked ? ["maximise"] : ["dock"];
    if (isDocked && slot.kind.place === "over") commands.push("float");
    if (arrangement.isTiled) commands.push("popOut");
    return { moves: isDocked && arrangement.isTiled ? arrangement.movesOf(slot.kind.id) : [], commands: [...commands, "closePanel"] };
  }

  private run(slot: Slot, command: view.PanelCommand): void {
    const { panel, kind: { id } } = slot;
    if (panel === undefined) return;
    switch (command) {
      case "maximise":
        this.maximised = slot;
        this.arrangement.box.toggleAttribute("data-maximised", true);
        panel.node.toggleAttribute("data-maximised", true);
        break;
      case "restore":
        this.restore();
        break;
      case "popOut":
        this.popOut(slot, panel);
        return;
      case "popIn":
        slot.popup?.close();
        return;
      case "dock":
        this.arrangement.add(id);
        this.put(slot, panel);
        break;
      case "float":
        this.closeOver();
        this.arrangement.remove(id);
        this.put(slot, panel);
        break;
      case "closePanel":
        this.close(id);
        return;
    }
    slot.redraw.invalidateNow();
    panel.head.querySelector<HTMLElement>(".panel-menu-button")?.focus();
  }

  private restore(): void {
    this.arrangement.box.removeAttribute("data-maximised");
    this.maximised?.panel?.node.removeAttribute("data-maximised");
    this.maximised = undefined;
  }

  private popOut(slot: Slot, panel: view.Panel): void {
    const { scheduler, strings, notify } = this.host;
    const popup = view.openWindow(panel.node, this.titleOf(slot.kind.id), {
      keydown: this.host.keydown,
      closed: () => {
        if (popup !== undefined) scheduler.removeWindow(popup);
        slot.popup = undefined;
        if (this.isOver(slot) && slot.isOpen) this.close(slot.kind.id);
        this.put(slot, panel);
        slot.redraw.invalidateNow();
      },
    });
    if (popup === undefined) {
      notify(strings().notice.noWindow, { kind: "error" });
      return;
    }
    slot.popup = popup;
    scheduler.addWindow(popup);
    view.clearBox(panel.node);
    this.arrangement.apply();
    slot.redraw.invalidateNow();
  }

  private reset(): void {
    this.restore();
    this.arrangement.reset();
    for (const slot of this.slots.values()) {
      const isWanted = this.arrangement.has(slot.kind.id);
      slot.popup?.close();
      if (slot.isOpen && !isWanted) this.close(slot.kind.id);
      else if (!slot.isOpen && isWanted) this.start(slot);
    }
    this.order();
  }

  /** Puts a panel where it belongs in the page. */
  private put(slot: Slot, { node }: view.Panel): void {
    if (slot.popup !== undefined) return;
    const isOver = this.isOver(slot);
    node.classList.toggle("side-panel", isOver);
    if (isOver) {
      view.clearBox(node);
      if (node.parentElement !== this.over) this.over.append(node);
    } else if (node.parentElement !== this.arrangement.box) {
      this.arrangement.box.append(node);
    }
    this.arrangement.apply();
    this.order();
  }

  /** The Tab key goes through the panels in the order of reading. A node that is in its place already is not moved: it would lose its focus. */
  private order(): void {
    const { box, open } = this.arrangement;
    const nodes = open.flatMap((id) => this.nodeOnBoard(id) ?? []);
    nodes.forEach((node, at) => {
      if (box.children[at] !== node) box.insertBefore(node, box.children[at] ?? null);
    });
  }
}
