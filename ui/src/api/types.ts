// The names that the rest of the app uses for what the OpenAPI document describes.

import type { components } from "./generated/schema";

type Schemas = components["schemas"];

export type CreateNetwork = Schemas["CreateNetwork"];
export type Invite = Schemas["Invite"];
export type NearbyNetwork = Schemas["NearbyNetwork"];
export type NetworkDetails = Schemas["NetworkDetails"];
export type NetworkKind = Schemas["NetworkKind"];
export type NodeState = Schemas["NodeState"];
export type PeerDetails = Schemas["PeerDetails"];
export type PeerSummary = Schemas["PeerSummary"];
export type Problem = Schemas["Problem"];
export type Quote = Schemas["Quote"];
export type RowState = Schemas["RowState"];
export type Snapshot = Schemas["Snapshot"];
export type StageRecord = Schemas["StageRecord"];
export type Status = Schemas["Status"];
export type SubmitTask = Schemas["SubmitTask"];
export type Task = Schemas["Task"];
export type TaskResult = Schemas["TaskResult"];
export type TaskStage = Schemas["TaskStage"];
export type Wallet = Schemas["Wallet"];
export type WalletCheck = Schemas["WalletCheck"];
export type WalletRow = Schemas["WalletRow"];
export type WalletRows = Schemas["WalletRows"];

/** One message of the event stream: a snapshot first, then changes numbered without gaps. */
export type DaemonEvent =
  | { number: number; event: "snapshot"; data: Snapshot }
  | { number: number; event: "status"; data: Status }
  | { number: number; event: "task"; data: Task }
  | { number: number; event: "wallet"; data: Wallet }
  | { number: number; event: "row"; data: WalletRow };

/** How far a text may travel. */
export type Privacy = "local" | "trusted" | "public";
