import { isSection, itemId, nextFlag, positionOf, type Flag, type ItemPlace, type Section } from "../market";
import { asSymbol, type StockSymbol } from "@tapecast/client";
import * as view from "../view";
import type { PanelSite } from "./host";
import type { TradeLook } from "./trade-look";

/** What the commands need from the panel. */
export interface RowCommandActions {
  readonly grid: () => view.Grid | undefined;
  readonly remove: (symbols: readonly StockSymbol[]) => void;
  readonly trade: TradeLook;
  readonly dialog: view.NameDialog;
}

/** What the user does with the rows of the watchlist, by key, menu, drag or long touch. */
export class RowCommands {
  /** The menu, the form and what is announced, which may be anywhere in the panel. */
  readonly nodes: readonly HTMLElement[];
  private readonly menu: view.RowMenu;
  private readonly form: view.PositionForm;
  private readonly announcement = view.make("p", "visually-hidden");
  private readonly site: PanelSite;
  private readonly actions: RowCommandActions;
  /** The row that the menu or the form is for. */
  private row: string | undefined;

  constructor(site: PanelSite, actions: RowCommandActions) {
    this.site = site;
    this.actions = actions;
    const closed = () => {
      this.focusRow(this.row);
    };
    this.menu = new view.RowMenu(site.strings, closed);
    this.form = new view.PositionForm(site.strings, closed);
    this.announcement.role = "status";
    this.nodes = [this.menu.node, this.form.node, this.announcement];
  }

  run(command: view.RowCommand, id: string, at: DOMRect): void {
    const { editor } = this.site;
    const section = this.section(id);
    const symbol = section === undefined ? asSymbol(id) : undefined;
    switch (command) {
      case "moveUp":
      case "moveDown":
        this.step(id, command);
        return;
      case "section":
        this.addSection(id);
        return;
      case "menu":
        this.openMenu(id, at);
        return;
      case "flag":
        if (symbol !== undefined) this.setFlag(symbol, nextFlag(editor.notes.flagOf(symbol)));
        return;
      case "position":
        if (symbol !== undefined) this.openForm(symbol, at);
        return;
      case "trade":
        if (symbol !== undefined) this.announce(this.actions.trade.toggle(symbol, at));
        return;
      case "toggle":
        if (section !== undefined) this.fold(section, !section.isFolded);
        return;
      case "fold":
      case "unfold":
        if (section !== undefined) this.fold(section, command === "fold");
        return;
      case "rename":
        if (section !== undefined) this.rename(section);
        return;
      case "remove":
        if (section !== undefined) this.removeSection(section);
    }
  }

  /** False, and told why, while the list is sorted by a column. */
  canMove(): boolean {
    const grid = this.actions.grid();
    if (grid?.isSorted !== true) return true;
    const { rows, page } = this.site.strings();
    this.site.notify(rows.sorted, { kind: "info", action: { label: page.resetSort, run: () => { grid.endSort(); } } });
    return false;
  }

  move(id: string, place: ItemPlace): void {
    if (!this.site.editor.move(id, place)) return;
    this.announcePlace(id);
    this.focusRow(id);
  }

  /** Asks for the name of a section, and adds it above a row or at the end. */
  addSection(before: string | undefined): void {
    const { rows } = this.site.strings();
    this.actions.dialog.ask(rows.sectionName, rows.newSection, (name) => {
      this.focusRow(this.site.editor.addSection(name, before));
    });
  }

  private step(id: string, command: "moveUp" | "moveDown"): void {
    if (!this.canMove()) return;
    const section = this.section(id);
    const around = this.actions.grid()?.around(id);
    const sections = this.site.editor.lists.items.filter(isSection);
    const at = sections.findIndex((one) => itemId(one) === id);
    // A section goes past its neighbour with all its symbols.
    const [above, below] = section === undefined ? [around?.above, around?.below] : [sections[at - 1], sections[at + 2]].map((one) => one && itemId(one));
    if (command === "moveUp") {
      if (above !== undefined) this.move(id, { before: above });
    } else if (below !== undefined) this.move(id, section === undefined ? { after: below } : { before: below });
    else if (section !== undefined && at === sections.length - 2) this.moveToEnd(id);
  }

  private moveToEnd(id: string): void {
    const last = this.site.editor.lists.items.at(-1);
    if (last !== undefined) this.move(id, { after: itemId(last) });
  }

  private setFlag(symbol: StockSymbol, flag: Flag | undefined): void {
    this.site.editor.setFlag(symbol, flag);
    this.announce(this.site.strings().rows.flagSet(symbol, flag));
    this.focusRow(symbol);
  }

  private openForm(symbol: StockSymbol, at: DOMRect): void {
    const { editor, strings } = this.site;
    this.row = symbol;
    this.form.open(at, strings().rows.positionOf(symbol), editor.notes.positionOf(symbol), (position) => {
      editor.setPosition(symbol, position);
    });
  }

  private openMenu(id: string, at: DOMRect): void {
    const { editor, strings } = this.site;
    const section = this.section(id);
    this.row = id;
    this.actions.trade.close();
    const run = (command: view.RowCommand) => () => {
      this.run(command, id, at);
    };
    const moves = [{ text: "moveRowUp", run: run("moveUp") }, { text: "moveRowDown", run: run("moveDown") }] as const;
    if (section !== undefined) {
      const choices = [{ text: section.isFolded ? "unfold" : "fold", run: run("toggle") }, { text: "renameSection", run: run("rename") }, ...moves, { text: "removeSection", run: run("remove") }] as const;
      this.menu.open(at, { label: strings().rows.menuOf(section.name), choices });
      return;
    }
    const symbol = asSymbol(id);
    if (symbol === undefined) return;
    this.menu.open(at, {
      label: strings().rows.menuOf(symbol),
      flags: { current: editor.notes.flagOf(symbol), choose: (flag) => { this.setFlag(symbol, flag); } },
      choices: [
        { text: "editPosition", run: run("position") },
        { text: "tradeDetails", run: run("trade") },
        ...moves,
        { text: "sectionAbove", run: run("section") },
        { text: "removeRow", run: () => { this.actions.remove([symbol]); } },
      ],
    });
  }

  private fold(section: Section, isFolded: boolean): void {
    this.site.editor.fold(itemId(section), isFolded);
    this.focusRow(itemId(section));
  }

  private rename(section: Section): void {
    this.actions.dialog.ask(this.site.strings().rows.sectionName, section.name, (name) => {
      this.site.editor.renameSection(itemId(section), name);
      this.focusRow(itemId(section));
    });
  }

  private removeSection(section: Section): void {
    const grid = this.actions.grid();
    const { above, below } = grid?.around(itemId(section)) ?? {};
    this.site.editor.removeSection(itemId(section));
    this.focusRow(below ?? above);
  }

  private section(id: string): Section | undefined {
    return this.site.editor.lists.items.filter(isSection).find((section) => itemId(section) === id);
  }

  private focusRow(id: string | undefined): void {
    if (id !== undefined) this.actions.grid()?.focus(id);
  }

  private announcePlace(id: string): void {
    const { editor: { lists }, strings } = this.site;
    const { rows } = strings();
    const [section, symbol] = [this.section(id), asSymbol(id)];
    if (section !== undefined) {
      this.announce(rows.sectionMoved(section.name));
      return;
    }
    const place = symbol === undefined ? undefined : positionOf(lists.items, symbol);
    if (symbol !== undefined && place !== undefined) this.announce(rows.movedTo(symbol, place.position, place.count, place.section));
  }

  /** Tells screen readers what happened. */
  private announce(text: string): void {
    view.setText(this.announcement, text);
  }
}
