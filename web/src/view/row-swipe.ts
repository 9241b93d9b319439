/** A swipe of this many pixels removes a row. */
const SWIPE_PX = 96;

/** A touch that moves less than this is none of a swipe. */
const START_PX = 12;

/** Lets rows be swiped to the left by touch: they follow the finger, and `swiped` is called if they were moved far enough. */
export function listenToSwipes(box: HTMLElement, rowSelector: string, swiped: (row: HTMLElement) => void): void {
  let touch: { readonly id: number; readonly x: number; readonly row: HTMLElement } | undefined;
  let distance = 0;
  let hasMoved = false;
  const end = () => {
    if (touch !== undefined) touch.row.style.translate = "";
    touch = undefined;
    distance = 0;
  };
  box.addEventListener("pointerdown", ({ target, pointerType, pointerId, clientX }) => {
    const row = target instanceof Element ? target.closest<HTMLElement>(rowSelector) : null;
    hasMoved = false;
    if (pointerType === "touch" && row !== null) touch = { id: pointerId, x: clientX, row };
  });
  box.addEventListener("pointermove", ({ pointerId, clientX }) => {
    if (touch?.id !== pointerId) return;
    // A finger that held the row moves it.
    if (touch.row.dataset["lifted"] !== undefined) {
      touch = undefined;
      return;
    }
    distance = touch.x - clientX;
    hasMoved ||= Math.abs(distance) > START_PX;
    touch.row.style.translate = distance > START_PX ? `${-distance}px 0` : "";
  });
  box.addEventListener("pointerup", ({ pointerId }) => {
    if (touch?.id !== pointerId) return;
    const { row } = touch;
    const isFar = distance >= SWIPE_PX;
    end();
    if (isFar) swiped(row);
  });
  box.addEventListener("pointercancel", end);
  // A swipe is no tap: the row below the finger is not selected.
  box.addEventListener("touchend", (event) => {
    if (!hasMoved) return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
}
