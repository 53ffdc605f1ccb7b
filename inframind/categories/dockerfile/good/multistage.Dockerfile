# syntax=docker/dockerfile:1.9
ARG GO_VERSION=1.23
FROM golang:${GO_VERSION} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /out/server ./cmd/server

FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.source="https://example.com/server" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build --chown=65532:65532 /out/server /server
EXPOSE 8080/tcp
USER 65532:65532
ENTRYPOINT ["/server"]
CMD ["--port", "8080"]
