import { CONFLATION_STEPS_MS } from "../settings";
import type { Strings } from "../strings";
import { byId, setText } from "./dom";

/** The slider of the conflation interval, which takes effect while it is dragged, and the pause button. */
export class StreamControls {
  private readonly slider = byId("refresh", HTMLInputElement);
  private readonly sliderText = byId("refresh-text", HTMLOutputElement);
  private readonly pause = byId("pause", HTMLButtonElement);
  private readonly pauseText = byId("pause-text", HTMLElement);

  constructor(setConflation: (conflateMs: number) => void, togglePause: () => void) {
    this.slider.max = String(CONFLATION_STEPS_MS.length - 1);
    this.slider.addEventListener("input", () => {
      setConflation(CONFLATION_STEPS_MS[Number(this.slider.value)] ?? 0);
    });
    this.pause.addEventListener("click", togglePause);
  }

  drawConflation(conflateMs: number, strings: Strings): void {
    const step = CONFLATION_STEPS_MS.findIndex((ms) => ms === conflateMs);
    if (step >= 0) this.slider.value = String(step);
    const text = strings.refresh(conflateMs);
    setText(this.sliderText, text);
    this.slider.setAttribute("aria-valuetext", text);
  }

  drawPause(isPaused: boolean, strings: Strings): void {
    this.pause.ariaPressed = String(isPaused);
    setText(this.pauseText, isPaused ? strings.resume : strings.pause);
    document.body.dataset["paused"] = String(isPaused);
  }
}
