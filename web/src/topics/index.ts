/** What the page shows of topics. Pure: no DOM, no network, no clock. */
export { ChatRoom, LOBBY, nameOfRoom, roomOf, type RoomAccess, type RoomLine, type SendError, type ShownRoom } from "./chat-room";
