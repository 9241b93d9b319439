/** Access to the browser apart from the DOM: clock, timers, network, storage, URL. */
export { address, copyText } from "./address";
export { saveFile } from "./files";
export { Probe } from "./probe";
export { runtime } from "./runtime";
export { echoUrlFrom, getJson, getText, messagePackUrlFrom, randomUserId, streamUrl } from "./server";
export { notifications, playTone } from "./signals";
export { storage, tabStorage } from "./storage";
