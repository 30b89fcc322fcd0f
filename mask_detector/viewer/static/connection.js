// The one connection to the viewer: it comes back by itself, and takes pictures only as fast as they are drawn.
import { byId } from "./dom.js";

const LONGEST_PAUSE = 5000; // milliseconds

export class Connection {
  constructor(onState, onPicture) {
    this.onState = onState;
    this.onPicture = onPicture;
    this.wanted = new Set();
    this.asked = new Set();
    this.pause = 250;
    document.addEventListener("visibilitychange", () => this.askAll());
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/live`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.pause = 250;
      // A viewer that was started again knows of no camera yet; what it tells of brings what is wanted.
      this.asked.clear();
      this.wanted.clear();
      this.tell("up", "connected");
    };
    this.socket.onmessage = (event) => this.take(event.data);
    this.socket.onclose = () => {
      this.tell("down", "connection lost, trying again");
      setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    };
  }

  tell(state, text) {
    byId("connection").className = state;
    byId("connection").textContent = text;
  }

  // Show pictures of these cameras from now on.
  show(names) {
    this.wanted = new Set(names);
    this.askAll();
  }

  askAll() {
    if (document.visibilityState !== "visible" || this.socket.readyState !== WebSocket.OPEN) return;
    for (const name of this.wanted) {
      if (!this.asked.has(name)) {
        this.asked.add(name);
        this.socket.send(JSON.stringify({ next: name }));
      }
    }
  }

  async take(data) {
    if (typeof data === "string") return this.onState(JSON.parse(data));
    const length = new Uint8Array(data, 0, 1)[0];
    const name = new TextDecoder().decode(new Uint8Array(data, 1, length));
    try {
      const picture = await createImageBitmap(new Blob([new Uint8Array(data, 1 + length)], { type: "image/jpeg" }));
      this.onPicture(name, picture);
    } catch {
      // A damaged picture: the next one counts.
    }
    this.asked.delete(name);
    this.askAll();
  }
}
