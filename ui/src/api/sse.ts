/** The longest event that is read; a stream that sends more without an end is not ours. */
const MAX_EVENT = 16 * 1024 * 1024;

/** Cuts a stream of server-sent events into the data of each event. */
export class SseReader {
  #rest = "";
  #data: string[] = [];

  /** The data of every event that this piece of the stream completes. */
  push(piece: string): string[] {
    this.#rest += piece;
    if (this.#rest.length > MAX_EVENT) throw new Error("an event without an end");
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    const complete: string[] = [];
    for (const line of lines) {
      if (line === "" && this.#data.length > 0) {
        complete.push(this.#data.join("\n"));
        this.#data = [];
      } else if (line.startsWith("data:")) {
        this.#data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      }
    }
    return complete;
  }
}
