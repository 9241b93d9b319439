import type { ClientState } from "../client";
import { formatShortChinese } from "../format";
import type { Strings } from "./strings";

/** Close reasons by close code. */
const CLOSES: Readonly<Record<number, string>> = {
  1000: "正常关闭",
  1001: "服务器即将离开",
  1006: "连接中断",
  1008: "被服务器拒绝",
  1011: "服务器内部错误",
  1012: "服务器正在重启",
  1013: "服务器繁忙",
};

const closeReason = (state: Extract<ClientState, { phase: "waiting" | "ended" }>): string =>
  CLOSES[state.close.code] ?? `已关闭，代码 ${state.close.code}`;

export const chinese: Strings = {
  language: "zh",
  tag: "zh-CN",
  page: {
    connection: "连接",
    connectNow: "立即连接",
    updates: "更新",
    p50: "延迟 p50",
    p99: "p99",
    roundTrip: "往返",
    gaps: "缺口",
    refresh: "刷新",
    settings: "设置",
    chart: "图表",
    candleLength: "K 线周期",
    sales: "成交明细",
    salesTime: "时间",
    salesPrice: "价格",
    salesSize: "数量",
    stream: "数据流",
    latency: "延迟：从交易所时间到本页面",
    frames: "帧",
    bytes: "字节",
    conflated: "合并",
    missed: "缺失",
    recovered: "补回",
    connections: "连接次数",
    session: "自页面加载以来",
    watchlist: "自选股",
    list: "列表",
    newList: "新建列表",
    renameList: "重命名列表",
    deleteList: "删除列表",
    columns: "列",
    resetColumns: "重置列",
    addSymbol: "添加代码",
    symbolsFound: "匹配的代码",
    empty: "自选股列表为空。按 / 键添加代码。",
    theme: "主题",
    system: "跟随系统",
    dark: "深色",
    light: "浅色",
    colours: "上涨颜色",
    byLocale: "按地区",
    greenUp: "绿色",
    redUp: "红色",
    language: "语言",
    byBrowser: "跟随浏览器",
    strip: "滚动行情",
    stripLabel: "本列表的滚动行情",
    share: "复制当前视图的链接",
    keys: "快捷键",
    keySearch: "搜索",
    keySelect: "选择",
    keyRemove: "移除",
    keyInterval: "K 线周期",
    keyPause: "暂停",
    keyStrip: "滚动行情",
    keyLists: "切换列表",
    keyMoveColumn: "移动列（焦点在表头）",
    keySizeColumn: "调整列宽（焦点在表头）",
    keySort: "排序（焦点在表头）",
    loginKey: "密钥 ID",
    loginSecret: "密钥",
    logIn: "登录",
    chartsBy: "图表组件",
    perSecond: "/秒",
    skip: "跳到自选股",
  },
  columns: {
    symbol: { head: "代码", tip: "" },
    name: { head: "名称", tip: "" },
    last: { head: "最新价", tip: "最近一笔成交价" },
    spark: { head: "5 分钟", tip: "最近五分钟走势" },
    change: { head: "涨跌", tip: "相对昨收的涨跌额" },
    percent: { head: "涨跌幅", tip: "相对昨收的涨跌百分比" },
    bid: { head: "买价 × 量", tip: "最优买价及其数量（股）" },
    ask: { head: "卖价 × 量", tip: "最优卖价及其数量（股）" },
    volume: { head: "成交量", tip: "今日成交股数" },
    range: { head: "日内区间", tip: "今日最低价与最高价，以及最新价所处的位置" },
    remove: { head: "移除", tip: "" },
  },
  short: formatShortChinese,
  interval: (seconds) => (seconds < 60 ? `${seconds} 秒` : seconds < 86_400 ? `${seconds / 60} 分` : "日线"),
  refresh: (ms) => (ms === 0 ? "逐笔" : ms < 1_000 ? `每 ${ms} 毫秒` : `每 ${ms / 1_000} 秒`),
  connection: (state, countdown) => {
    switch (state.phase) {
      case "waiting":
        return `${closeReason(state)} · ${countdown}后重试`;
      case "ended":
        return `${closeReason(state)} · 不再重试`;
      case "greeting":
        return "等待服务器应答";
      case "idle":
      case "connecting":
      case "live":
      case "closing":
        return "";
    }
  },
  freshness: {
    live: "实时",
    quiet: (age) => `市场平静 · ${age}`,
    lost: (age) => `行情中断 · ${age}无数据`,
    missed: (count) => `数据缺失 · ${count}`,
    off: "",
  },
  missingTrades: (count) => `缺少 ${count} 笔成交`,
  newTrades: (count) => `${count} 笔新成交`,
  noMatch: (typed) => `没有与“${typed}”匹配的代码`,
  remove: (symbol) => `移除 ${symbol}`,
  halted: (reason) => (reason === "" ? "已停牌" : `已停牌：${reason}`),
  haltedShort: "停牌",
  chartOf: (symbol, interval) => `${symbol} 的 K 线图，周期 ${interval}`,
  waitingForTrade: "等待第一笔成交",
  nothingSelected: "未选择代码",
  notice: {
    serverError: (message, code) => `服务器错误：${message} (${code})`,
    unreadable: (sentence) => `已忽略消息：${sentence}`,
    unknownSymbols: (symbols) => `未知代码：${symbols}`,
    noInstruments: "代码列表加载失败。请输入完整代码添加。",
    full: "列表已满。请先移除一个代码。",
    drain: (seconds) => `服务器正在重启，${seconds}后重连。`,
    loadFailed: "页面部分内容加载失败。请重新加载。",
    copied: "链接已复制。",
    notCopied: "请从地址栏复制链接。",
  },
  lists: { first: "我的自选", shared: "分享的列表", numbered: (number) => `列表 ${number}`, added: "已添加", nameLabel: "列表名称" },
  pause: "暂停",
  resume: "继续",
  legend: ["开", "高", "低", "收", "量"],
  noGaps: "没有缺口：所有序号连续",
  latestGap: (symbol, from, to) => `最近的缺口：${symbol}，序号 ${from} 至 ${to}`,
  login: {
    required: "此服务器需要密钥。密钥保留到关闭此标签页为止。",
    invalid: "密钥 ID 或密钥无效。",
  },
};
