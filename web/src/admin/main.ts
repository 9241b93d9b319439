/** The entry point of the admin page. */
import { AdminPage } from "./app";

new AdminPage().start();
