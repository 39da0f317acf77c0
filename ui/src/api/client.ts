// One function for each call of the control API that the app makes.

import { cleanAll } from "./clean";
import type { Transport } from "./transport";
import type {
  Computer,
  ConfigEntry,
  CreateNetwork,
  Invite,
  NearbyNetwork,
  NetworkDetails,
  PauseRequest,
  PeerDetails,
  Quote,
  Schedule,
  Status,
  SubmitTask,
  Task,
  Timeline,
  Wallet,
  WalletCheck,
  WalletRows,
} from "./types";

const API = "/api/v1";

export class Client {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  status = () => this.#call<Status>("GET", "/status");
  /** Until it is resumed, where no end is named. */
  pause = (request: PauseRequest = {}) => this.#call<Status>("POST", "/node/pause", request);
  resume = () => this.#call<Status>("POST", "/node/resume");

  computer = () => this.#call<Computer>("GET", "/computer");
  schedule = () => this.#call<Schedule>("GET", "/schedule");
  timeline = (hours: number) => this.#call<Timeline>("GET", `/schedule/timeline?hours=${hours}`);
  config = () => this.#call<ConfigEntry[]>("GET", "/config");
  setConfig = (key: string, value: unknown) =>
    this.#call<ConfigEntry>("PUT", `/config/${encodeURIComponent(key)}`, { value });

  submit = (task: SubmitTask) => this.#call<Task>("POST", "/tasks", task);
  task = (id: string) => this.#call<Task>("GET", `/tasks/${encodeURIComponent(id)}`);
  cancel = (id: string) => this.#call<Task>("POST", `/tasks/${encodeURIComponent(id)}/cancel`);
  /** What the task would cost. Runs nothing. */
  quote = (task: SubmitTask) => this.#call<Quote>("POST", "/tasks/quote", task);

  wallet = () => this.#call<Wallet>("GET", "/wallet");
  walletRows = (limit: number, before: number | null) =>
    this.#call<WalletRows>("GET", `/wallet/rows?limit=${limit}${before === null ? "" : `&before=${before}`}`);
  walletVerify = () => this.#call<WalletCheck>("GET", "/wallet/verify");

  peer = (id: string) => this.#call<PeerDetails>("GET", `/peers/${encodeURIComponent(id)}`);
  trust = (id: string, trusted: boolean) =>
    this.#call<PeerDetails>("PUT", `/peers/${encodeURIComponent(id)}/trust`, { trusted });

  nearby = () => this.#call<NearbyNetwork[]>("GET", "/network/nearby");
  createNetwork = (network: CreateNetwork) => this.#call<NetworkDetails>("POST", "/network/create", network);
  joinNetwork = (invite: string) => this.#call<NetworkDetails>("POST", "/network/join", { invite });
  leaveNetwork = () => this.#call<unknown>("POST", "/network/leave");
  invite = () => this.#call<Invite>("POST", "/network/invite");

  async #call<T>(method: "GET" | "POST" | "PUT", path: string, body?: unknown): Promise<T> {
    return cleanAll((await this.#transport.call(method, API + path, body)) as T);
  }
}
