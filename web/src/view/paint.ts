/**
 * Makes of a drawing a mark: however often it is marked, it is drawn once, in the next animation
 * frame. In a hidden tab there are no frames, and so nothing is drawn.
 */
export function oncePerFrame(draw: () => void): () => void {
  let isMarked = false;
  return () => {
    if (isMarked) return;
    isMarked = true;
    requestAnimationFrame(() => {
      isMarked = false;
      draw();
    });
  };
}
