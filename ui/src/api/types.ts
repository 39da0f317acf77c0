// The names that the rest of the app uses for what the OpenAPI document describes.

import type { components } from "./generated/schema";

type Schemas = components["schemas"];

export type Computer = Schemas["Computer"];
export type ConfigEntry = Schemas["ConfigEntry"];
export type CreateNetwork = Schemas["CreateNetwork"];
export type Energy = Schemas["Energy"];
export type Invite = Schemas["Invite"];
export type NearbyNetwork = Schemas["NearbyNetwork"];
export type NetworkDetails = Schemas["NetworkDetails"];
export type NetworkKind = Schemas["NetworkKind"];
export type NodeState = Schemas["NodeState"];
export type PauseRequest = Schemas["PauseRequest"];
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

/** A code with its figures, so that it can be put in words. */
export type Coded = { code: string; [figure: string]: unknown };

/** What a source said: `kind` says which of the figures there are. */
export type Reading = { kind: string; [figure: string]: unknown };

export type SignalSeen = Omit<Schemas["SignalSeen"], "reading"> & { reading?: Reading | null };
export type RuleState = Omit<Schemas["RuleState"], "reason" | "resumes" | "seen"> & {
  reason?: Coded | null;
  resumes?: Coded | null;
  seen: SignalSeen[];
};
export type Schedule = Omit<Schemas["Schedule"], "rules"> & { rules: RuleState[] };
export type TimelineChange = Omit<Schemas["TimelineChange"], "reason"> & { reason?: Coded | null };
export type Timeline = Omit<Schemas["Timeline"], "changes"> & { changes: TimelineChange[] };

/** One message of the event stream: a snapshot first, then changes numbered without gaps. */
export type DaemonEvent =
  | { number: number; event: "snapshot"; data: Snapshot }
  | { number: number; event: "status"; data: Status }
  | { number: number; event: "task"; data: Task }
  | { number: number; event: "wallet"; data: Wallet }
  | { number: number; event: "row"; data: WalletRow };

/** How far a text may travel. */
export type Privacy = "local" | "trusted" | "public";
