import { createPhone } from "../sdk/src/index.ts";
import { startApp } from "./app.tsx";

const root = document.getElementById("app");
if (root) {
  startApp(root, createPhone());
}
