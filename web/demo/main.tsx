import "../ui/tokens.css";
import "./demo.css";
import { render } from "preact";
import { App } from "./app.tsx";
import { connect } from "./link.ts";
import { Model } from "./model.ts";
import { browserVoice } from "./voice.ts";

const root = document.getElementById("app");
if (root) {
  render(<App model={new Model((events) => connect("/demo/ws", events), browserVoice())} />, root);
}
