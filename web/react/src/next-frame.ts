/** Calls back before the browser draws the next time, or soon where nothing is drawn. A page in the background waits until it is seen. */
export function nextFrame(run: () => void): void {
  if (typeof requestAnimationFrame === "undefined") setTimeout(run);
  else requestAnimationFrame(run);
}
