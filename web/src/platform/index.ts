/** Access to the browser apart from the DOM: clock, timers, network, storage, URL. */
export { address } from "./address";
export { runtime } from "./runtime";
export { getJson, randomUserId, streamUrl } from "./server";
export { notifications, playTone } from "./signals";
export { storage, tabStorage } from "./storage";
