// Reads something again when it may have changed: at once, then not more often than it makes sense, and never
// twice at a time. Nothing is read that nobody asked for.

const LEAST_MS = 400;

export class Refetch {
  readonly #read: () => Promise<void>;
  #busy = false;
  #again = false;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  soon(): void {
    if (this.#closed) return;
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    this.#again = false;
    void this.#read().finally(() => {
      if (this.#closed) return;
      this.#timer = setTimeout(() => {
        this.#busy = false;
        if (this.#again) this.soon();
      }, LEAST_MS);
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
