"use strict";
Redoc.init(
  "/api/schema/?format=json",
  { hideLoading: true, nativeScrollbars: true, sortTagsAlphabetically: true, suppressWarnings: true },
  document.getElementById("redoc"),
);
