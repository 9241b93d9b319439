/** The thread of the whole market: reads its frames and tells the page a summary. The page's thread keeps its frames. */
import { runtime } from "../platform";
import { WholeMarketFeed, type WholeMarketRequest } from "../store";

const feed = new WholeMarketFeed(runtime, (report) => {
  postMessage(report);
});

addEventListener("message", ({ data }: MessageEvent<WholeMarketRequest>) => {
  feed.handle(data);
});
