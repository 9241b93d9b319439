import { PACES_MS } from "../settings";
import type { Strings } from "../strings";
import { byId, setText } from "./dom";

/** The pace of the stream and the pause: the slider acts while it is moved. */
export class Controls {
  private readonly pace = byId("pace", HTMLInputElement);
  private readonly paceText = byId("pace-text", HTMLOutputElement);
  private readonly pause = byId("pause", HTMLButtonElement);
  private readonly pauseText = byId("pause-text", HTMLElement);

  constructor(setPace: (conflateMs: number) => void, togglePause: () => void) {
    this.pace.max = String(PACES_MS.length - 1);
    this.pace.addEventListener("input", () => {
      setPace(PACES_MS[Number(this.pace.value)] ?? 0);
    });
    this.pause.addEventListener("click", togglePause);
  }

  drawPace(conflateMs: number, strings: Strings): void {
    const place = PACES_MS.findIndex((ms) => ms === conflateMs);
    if (place >= 0) this.pace.value = String(place);
    const text = strings.refresh(conflateMs);
    setText(this.paceText, text);
    this.pace.setAttribute("aria-valuetext", text);
  }

  drawPause(isPaused: boolean, strings: Strings): void {
    this.pause.ariaPressed = String(isPaused);
    setText(this.pauseText, isPaused ? strings.resume : strings.pause);
    document.body.dataset["paused"] = String(isPaused);
  }
}
