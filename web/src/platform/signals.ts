/** Ways to tell the user something while the page is not looked at. Both work only if the user chose them. */

/** A short tone of two notes. Silent if the browser has no sound or wants the user to act first. */
export function playTone(): void {
  try {
    context ??= new AudioContext();
    void context.resume();
    const { currentTime, destination } = context;
    for (const [at, hertz] of [[0, 880], [0.16, 1_175]] as const) {
      const [oscillator, gain] = [context.createOscillator(), context.createGain()];
      oscillator.frequency.value = hertz;
      gain.gain.setValueAtTime(0.15, currentTime + at);
      gain.gain.exponentialRampToValueAtTime(0.001, currentTime + at + 0.3);
      oscillator.connect(gain).connect(destination);
      oscillator.start(currentTime + at);
      oscillator.stop(currentTime + at + 0.3);
    }
  } catch {
    // No sound is no reason to fail.
  }
}

let context: AudioContext | undefined;

/** Notifications of the system. */
export const notifications = {
  /** Asks the user, unless the answer is known; false if it is no. To be called only when the user chose notifications. */
  async request(): Promise<boolean> {
    if (!("Notification" in window)) return false;
    return (await Notification.requestPermission()) === "granted";
  },
  /** Shows a notification if it is permitted. One of the same tag, of another tab of the page too, is replaced. */
  show(title: string, body: string, tag: string): void {
    try {
      if ("Notification" in window && Notification.permission === "granted") new Notification(title, { body, tag });
    } catch {
      // Browsers of phones allow notifications only to service workers.
    }
  },
};
