// The live page: what comes over the connection goes to the part of the page that shows it.
import { Cameras } from "./cameras.js";
import { showChanges } from "./changes.js";
import { offerCameras, startChart } from "./chart.js";
import { Connection } from "./connection.js";
import { byId, element } from "./dom.js";
import { showHealth } from "./health.js";
import { about } from "./looks.js";
import { showSettings } from "./settings.js";
import { startUpload } from "./upload.js";

byId("statements").append(...about.privacy.map((text) => element("li", { textContent: text })));
byId("to-review").hidden = !about.review;
startUpload();
startChart();

const cameras = new Cameras((names) => connection?.show(names));
const connection = new Connection(take, (name, picture) => cameras.draw(name, picture));

function take(state) {
  if (state.changes) showChanges(state.changes);
  if (state.settings) showSettings(state.settings);
  if (state.cameras) {
    cameras.update(state.cameras);
    showHealth(state.cameras);
    offerCameras(state.cameras.map((camera) => camera.name));
  }
}
