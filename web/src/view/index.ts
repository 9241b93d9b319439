/** What is seen. Draws what it is given, and tells what was clicked or typed; knows neither wire nor socket. */
export { Chart } from "./chart";
export { Choices } from "./choices";
export { Controls } from "./controls";
export { Grid } from "./grid";
export { Headline } from "./headline";
export { Intervals } from "./intervals";
export { listenToKeys, writeKeys } from "./keys";
export { ListChoice, makeColumnMenu } from "./lists";
export { oncePerFrame } from "./paint";
export { onSystemTheme } from "./palette";
export { Search } from "./search";
export { Status } from "./status";
export { Stream } from "./stream";
export { Strip } from "./strip";
export { TapeView } from "./tape";
export { writeWords } from "./words";
