import type { Direction } from "../layout";
import { make } from "./dom";

/** Where a panel is dropped: on a side of another one, or in its place. */
export type DropPlace = Direction | "swap";

export interface DragActions {
  /** False while panels cannot be moved: where they are stacked, or one is maximised. */
  readonly canMove: () => boolean;
  /** The panels that one may be dropped on. */
  readonly targets: () => readonly (readonly [id: string, node: HTMLElement])[];
  readonly drop: (target: string, place: DropPlace) => void;
}

/** A press that moves less than this is none of a drag. */
const DRAG_PX = 8;

/** The part of a panel, from each edge, on which a drop puts the other one beside it. */
const EDGE = 0.25;

/** Lets a panel be dragged by its head with the mouse. By touch a drag scrolls. The keyboard moves panels by their menu. */
export function makeDraggable(head: HTMLElement, own: string, actions: DragActions): void {
  const mark = make("div", "drop-mark");
  let start: { readonly x: number; readonly y: number } | undefined;
  let isDragging = false;
  let aim: { readonly id: string; readonly place: DropPlace } | undefined;
  const end = () => {
    start = undefined;
    isDragging = false;
    aim = undefined;
    mark.remove();
  };
  head.addEventListener("pointerdown", ({ target, button, pointerType, pointerId, clientX: x, clientY: y }) => {
    const isControl = target instanceof Element && target.closest("button, input, select, label, a, [popover], dialog") !== null;
    if (button !== 0 || pointerType !== "mouse" || isControl || !actions.canMove()) return;
    start = { x, y };
    // At once: a fast mouse leaves the head before it has moved far enough.
    head.setPointerCapture(pointerId);
  });
  head.addEventListener("pointermove", (event) => {
    const { clientX: x, clientY: y } = event;
    if (start === undefined || (!isDragging && Math.hypot(x - start.x, y - start.y) < DRAG_PX)) return;
    isDragging = true;
    document.getSelection()?.removeAllRanges();
    const target = actions.targets().find(([id, node]) => id !== own && contains(node.getBoundingClientRect(), x, y));
    aim = target === undefined ? undefined : { id: target[0], place: placeIn(target[1].getBoundingClientRect(), x, y) };
    if (target === undefined || aim === undefined) mark.remove();
    else show(mark, target[1], aim.place);
  });
  head.addEventListener("pointerup", () => {
    const dropped = aim;
    end();
    if (dropped !== undefined) actions.drop(dropped.id, dropped.place);
  });
  head.addEventListener("pointercancel", end);
  head.addEventListener("lostpointercapture", end);
}

const contains = ({ left, right, top, bottom }: DOMRect, x: number, y: number): boolean => x >= left && x <= right && y >= top && y <= bottom;

function placeIn({ left, top, width, height }: DOMRect, x: number, y: number): DropPlace {
  const [across, down] = [(x - left) / width, (y - top) / height];
  const distances: readonly (readonly [Direction, number])[] = [["left", across], ["right", 1 - across], ["up", down], ["down", 1 - down]];
  const [nearest] = [...distances].sort((a, b) => a[1] - b[1]);
  return nearest !== undefined && nearest[1] < EDGE ? nearest[0] : "swap";
}

/** Marks the part of a panel that the dragged one would take. */
function show(mark: HTMLElement, target: HTMLElement, place: DropPlace): void {
  mark.dataset["place"] = place;
  if (mark.parentElement !== target) target.append(mark);
}
