/** What is seen. Draws what it is given, and tells what was clicked or typed; knows neither wire nor socket. */
export { Chart } from "./chart";
export { Headline } from "./headline";
export { listenToIntervals } from "./intervals";
export { listenToKeys } from "./keys";
export { oncePerFrame } from "./paint";
export { Search } from "./search";
export { Status } from "./status";
export { Table } from "./table";
