/** What the page shows of topics. Pure: no DOM, no network, no clock. */
export { ChatRoom, LOBBY, nameOfRoom, roomOf, type RoomAccess, type RoomLine, type SendError, type ShownRoom } from "./chat-room";
export { OwnMessages } from "./own-messages";
export { cityOf, type City, type CityId } from "./city";
export { CONDITIONS, readWeather, weatherTopic, type Condition, type Weather } from "./weather";
