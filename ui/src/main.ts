import { isTauri } from "@tauri-apps/api/core";
import { mount } from "svelte";

import App from "./App.svelte";
import { HttpTransport } from "./api/http";
import { TauriTransport } from "./api/tauri";
import "./app.css";

const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no #app");

const transport = isTauri() ? new TauriTransport() : new HttpTransport();
mount(App, { target, props: { transport } });
