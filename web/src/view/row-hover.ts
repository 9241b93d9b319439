/** The pointer rests on a row for this long before it is told. */
const REST_MS = 600;

/** Tells on which row the pointer of a mouse rests, and when it left it, pressed it or turned the wheel. */
export function listenToHover(box: HTMLElement, rowSelector: string, rested: (row: HTMLElement | undefined) => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let current: HTMLElement | null = null;
  let isTold = false;
  /** Where the pointer was: rows that come below a pointer at rest are not pointed at. */
  let place = "";
  const leave = () => {
    clearTimeout(timer);
    current = null;
    if (isTold) rested(undefined);
    isTold = false;
  };
  box.addEventListener("pointermove", ({ target, pointerType, clientX, clientY }) => {
    const here = `${clientX} ${clientY}`;
    if (here === place) return;
    place = here;
    const row = target instanceof Element && pointerType === "mouse" ? target.closest<HTMLElement>(rowSelector) : null;
    if (row === current) return;
    leave();
    current = row;
    if (row === null) return;
    timer = setTimeout(() => {
      isTold = true;
      rested(row);
    }, REST_MS);
  });
  for (const event of ["pointerleave", "pointerdown", "wheel", "contextmenu"] as const) box.addEventListener(event, leave, { passive: true });
}
