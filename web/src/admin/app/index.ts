/** The composition of the admin page. */
export { AdminPage } from "./admin-page";
