import type { Strings } from "../strings";
import type { NoticeOptions } from "../view";

/** Changes that can be undone: more than anyone remembers. */
const MAX_UNDO = 20;

export interface UndoActions {
  readonly notify: (sentence: string, options: NoticeOptions) => void;
  /** The notice's action is done or no longer possible. */
  readonly endAction: () => void;
  readonly strings: () => Strings;
}

/** The last changes of the user, each with what takes it back. */
export class UndoHistory {
  private readonly undoable: (() => void)[] = [];
  private readonly actions: UndoActions;

  constructor(actions: UndoActions) {
    this.actions = actions;
  }

  /** Records a change whose effect is in sight. */
  record(act: () => void): void {
    this.undoable.push(act);
    this.undoable.splice(0, this.undoable.length - MAX_UNDO);
  }

  /** Records a change and offers to take it back. */
  offer(sentence: string, act: () => void): void {
    this.record(act);
    this.actions.notify(sentence, { kind: "info", action: { label: this.actions.strings().undo, run: () => this.undo() } });
  }

  /** Takes the last change back; false if there is none. */
  undo(): boolean {
    const act = this.undoable.pop();
    if (act === undefined) return false;
    this.actions.endAction();
    act();
    return true;
  }
}
