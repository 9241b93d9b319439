import type { AlertCondition, Close } from "@tapecast/client";
import { formatPrice, formatShortChinese } from "../format";
import type { Refusals, Strings } from "./strings";

/** Close reasons by the name of the close, or by its code if it has no name. */
const CLOSE_REASONS: Readonly<Partial<Record<string, string>>> = {
  goodbye: "正常关闭",
  1001: "服务器即将离开",
  protocol_error: "协议错误",
  1003: "数据类型不受支持",
  1005: "已关闭，未附代码",
  1006: "连接中断",
  bad_utf8: "文本不是 UTF-8",
  bad_deflate: "消息无法解压",
  1007: "数据无效",
  auth_failed: "认证失败",
  key_revoked: "密钥已撤销",
  auth_timeout: "认证超时",
  too_many_commands: "命令过多",
  too_many_pings: "ping 过多",
  too_many_frames: "帧过多",
  no_such_channel: "没有该频道",
  slow_client: "客户端接收过慢",
  unresponsive: "未响应 ping",
  1008: "违反策略",
  too_big: "消息过大",
  1011: "服务器内部错误",
  restart: "服务器正在重启",
  try_later: "服务器繁忙",
  1015: "TLS 握手失败",
};

const closeReason = ({ name, code }: Close): string => CLOSE_REASONS[name ?? code] ?? `已关闭，代码 ${code}`;

/** Why a command was refused, by the error's code (docs/PROTOCOL.md, "Errors"). */
const REFUSALS: Refusals = {
  400: "服务器无法识别该命令",
  401: "服务器需要密钥",
  402: "密钥无效",
  405: "服务器无法再接收该代码",
  409: "你的密钥不含该代码",
  429: "命令过多，请稍后重试",
  434: "提醒数量过多",
  435: "条件无效，或服务器没有该代码",
  500: "服务器出错",
};

const condition = ({ measure, direction, level }: AlertCondition): string => {
  const sign = direction === "rise" ? "≥" : "≤";
  return measure === "price" ? `价格 ${sign} ${formatPrice(level)}` : `涨跌幅 ${sign} ${String(level).replace("-", "−")}%`;
};

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
    keepList: "保存列表",
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
    keyRemove: "移除（焦点在行）",
    keyUndo: "撤销",
    keyCopy: "复制该行（焦点在行）",
    keyPaste: "添加剪贴板中的代码",
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
    closePanel: "关闭",
    chat: "聊天",
    chatRooms: "聊天室",
    chatLog: "消息",
    chatName: "你的名字",
    chatText: "消息内容",
    chatSend: "发送",
    keyChat: "聊天",
    alerts: "提醒",
    alertKind: "提醒条件",
    alertPriceAbove: "价格涨到",
    alertPriceBelow: "价格跌到",
    alertChangeAbove: "涨跌幅升到 %",
    alertChangeBelow: "涨跌幅降到 %",
    alertLevel: "数值",
    alertOnce: "仅一次",
    alertSet: "设置提醒",
    alertsActive: "已设置",
    alertsFired: "已触发",
    alertsClear: "清空",
    alertSound: "声音",
    alertNotification: "系统通知",
    keyAlert: "提醒",
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
        return `${closeReason(state.close)} · ${countdown}后重试`;
      case "ended":
        return `${closeReason(state.close)} · 不再重试`;
      case "greeting":
        return "等待服务器应答";
      case "idle":
      case "connecting":
      case "live":
      case "closing":
        return "";
    }
  },
  reconnecting: "正在重新连接",
  freshness: {
    live: "实时",
    quiet: (age) => `市场平静 · ${age}`,
    stale: (time, age) => `${time} 的价格，${age}前`,
    paused: (time, age) => `已于 ${time} 暂停，${age}前`,
    missed: (count) => `数据缺失 · ${count}`,
    off: "",
  },
  missingTrades: (count) => `缺少 ${count} 笔成交`,
  marks: { late: ["迟报", "迟报成交：价格属于成交当时"], corrected: ["更正", "已更正"], cancelled: ["撤销", "已撤销"] },
  newTrades: (count) => `${count} 笔新成交`,
  noMatch: (typed) => `没有与“${typed}”匹配的代码`,
  remove: (symbol) => `移除 ${symbol}`,
  halted: (reason) => (reason === "" ? "已停牌" : `已停牌：${reason}`),
  haltedShort: "停牌",
  chartOf: (symbol, interval) => `${symbol} 的 K 线图，周期 ${interval}`,
  waitingForTrade: "等待第一笔成交",
  nothingSelected: "未选择代码",
  notice: {
    serverError: (message, code, why) => `服务器错误：${message} (${code})${why === undefined ? "" : `：${why}`}`,
    unreadable: (sentence) => `已忽略消息：${sentence}`,
    unknownSymbols: (symbols) => `未知代码：${symbols}`,
    noInstruments: "代码列表加载失败。请输入完整代码添加。",
    full: "列表已满。请先移除一个代码。",
    drain: (seconds) => `服务器正在重启，${seconds}后重连。`,
    restarted: "服务器已重启，序号重新开始。",
    removed: (what) => `已移除 ${what}。`,
    added: (symbols) => `已添加 ${symbols}。`,
    alreadyListed: (symbols) => `列表中已有：${symbols}。`,
    fullLists: "列表数量已达上限。请先删除一个列表。",
    loadFailed: "页面部分内容加载失败。请重新加载。",
    copied: "链接已复制。",
    notCopied: "请从地址栏复制链接。",
  },
  lists: { first: "我的自选", shared: "分享的列表", notKept: (name) => `${name}（未保存）`, numbered: (number) => `列表 ${number}`, added: "已添加", nameLabel: "列表名称" },
  undo: "撤销",
  dismiss: "关闭",
  removeThem: "移除",
  unknownSymbol: "未知代码：此服务器没有它的数据",
  unknownShort: "未知",
  pause: "暂停",
  resume: "继续",
  legend: ["开", "高", "低", "收", "量"],
  noGaps: "没有缺口：所有序号连续",
  latestGap: (symbol, from, to) => `最近的缺口：${symbol}，序号 ${from} 至 ${to}`,
  chat: {
    lobby: "大厅",
    unread: (count) => `${count} 条未读`,
    present: (sessions) => `${sessions} 人在线`,
    you: "我",
    nameless: "匿名",
    gap: (count) => `此处缺少 ${count} 条消息`,
    takenBack: "一条消息已撤回",
    connecting: "等待连接",
    empty: "还没有消息",
    noTopics: "此服务器没有聊天功能",
    noRoom: (name) => `此服务器没有 ${name} 的聊天室`,
    readOnly: "在此服务器上只能阅读，不能发言",
    error: (error) => {
      switch (error.kind) {
        case "notPermitted":
          return "未发送：你不能在此发言";
        case "tooLong":
          return "未发送：消息过长";
        case "tooFast":
          return `未发送：消息过于频繁，请在 ${Math.ceil(error.retryMs / 1_000)} 秒后重试`;
        case "muted":
          return `未发送：管理员已将你禁言 ${error.seconds} 秒`;
        case "noRoom":
          return "未发送：此服务器没有该聊天室";
        case "disconnected":
          return "未连接：消息可能没有发出";
        case "unanswered":
          return "没有应答：消息可能已发出，也可能没有";
        case "other":
          return `未发送：${REFUSALS[error.code] ?? `错误 ${error.code}`}`;
      }
    },
  },
  alerts: {
    firedCount: (unseen) => `${unseen} 条已触发`,
    condition,
    repeated: "每次",
    pending: "尚未设置：等待服务器",
    refused: (code) => `未设置：${REFUSALS[code] ?? `错误 ${code}`}`,
    beyond: "已达到：等待下一次穿越",
    unsupported: "此服务器没有提醒功能",
    noneActive: "暂无",
    noneFired: "暂无",
    reached: (price, time) => `${time} 达到 ${price}`,
    remove: (symbol, condition) => `移除 ${symbol} 的提醒：${condition}`,
    invalid: { price: "请输入大于 0 的价格", change: "请输入百分比，例如 5 或 -5" },
    tooMany: "提醒数量已达上限。请先移除一条",
    notAllowed: "浏览器不允许本页面发送通知",
    fired: (symbol, price, met) => `${symbol} 达到 ${formatPrice(price)}。提醒：${condition(met)}`,
    title: (symbol, price) => `${symbol} ${formatPrice(price)}`,
    missed: (symbol, trades) => `连接中断期间，${symbol} 的提醒未检查 ${trades} 笔成交`,
    show: "查看",
    drag: "拖到新提醒的价格，或点按打开表单",
    line: (symbol, condition) => `${symbol} 的提醒：${condition}。可拖动，或用方向键移动`,
    marks: { set: "已设提醒", fired: "提醒已触发" },
  },
  cities: {
    amsterdam: "阿姆斯特丹",
    chicago: "芝加哥",
    frankfurt: "法兰克福",
    "hong-kong": "香港",
    johannesburg: "约翰内斯堡",
    london: "伦敦",
    madrid: "马德里",
    mumbai: "孟买",
    "new-york": "纽约",
    paris: "巴黎",
    "sao-paulo": "圣保罗",
    seoul: "首尔",
    shanghai: "上海",
    singapore: "新加坡",
    sydney: "悉尼",
    tokyo: "东京",
    toronto: "多伦多",
    zurich: "苏黎世",
  },
  weather: {
    conditions: { clear: "晴", clouds: "多云", rain: "雨", snow: "雪", fog: "雾" },
    wind: "风速",
    humidity: "湿度",
    asOf: (time) => `${time} 的数据`,
  },
  login: {
    required: "此服务器需要密钥。密钥保留到关闭此标签页为止。",
    invalid: "密钥 ID 或密钥无效。",
  },
};
