import { en } from "./en";

/** The shape every language has. */
export type Words = typeof en;

/** The texts that are shown. */
export const words: Words = en;
export {
  ago,
  credits,
  creditParts,
  delay,
  exactly,
  length,
  percent,
  shortId,
  signed,
  span,
  timeOfDay,
  when,
} from "./numbers";
