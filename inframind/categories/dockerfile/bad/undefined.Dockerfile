FROM alpine:3.20
COPY --from=build /out /app
USER 10001

FROM golang:1.23 AS build
RUN go build -o /out ./...
USER 10001
