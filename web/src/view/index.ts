/** What is seen. Draws what it is given, and tells what was clicked or typed; knows neither wire nor socket. */
export { AccessForm } from "./access";
export type { Row } from "./cells";
export type { Chart } from "./chart";
export { Choices } from "./choices";
export { Controls } from "./controls";
export { Flashes } from "./flashes";
export type { Grid } from "./grid";
export { Headline } from "./headline";
export { Intervals } from "./intervals";
export { listenToKeys, writeKeys } from "./keys";
export { Later } from "./later";
export { ListChoice, makeColumnMenu } from "./lists";
export { Rhythm, type Part } from "./paint";
export { onSystemTheme } from "./palette";
export { Search } from "./search";
export { Sparks } from "./sparks";
export { Status } from "./status";
export { Stream } from "./stream";
export { Strip } from "./strip";
export { TapeView } from "./tape";
export { translatePage } from "./translate";

/** The two large parts are fetched by themselves: the page connects before they are there. */
export const fetchGrid = async () => {
  const { Grid } = await import("./grid");
  // To make it takes long. What the socket brought meanwhile is heard before: the first rows have prices then.
  await new Promise((heard) => setTimeout(heard));
  return Grid;
};
export const fetchChart = async () => (await import("./chart")).Chart;
