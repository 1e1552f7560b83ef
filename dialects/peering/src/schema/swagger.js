"use strict";
SwaggerUIBundle({
  url: "/api/schema/?format=json",
  dom_id: "#swagger-ui",
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  // A token may be given with or without the word that goes before it.
  requestInterceptor: (request) => {
    const given = request.headers.Authorization;
    if (given && !given.includes(" ")) {
      request.headers.Authorization = "Token " + given;
    }
    return request;
  },
});
