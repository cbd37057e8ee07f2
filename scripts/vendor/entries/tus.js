// Resumable uploads, tus 1.0.
export { Upload, isSupported } from "tus-js-client";
