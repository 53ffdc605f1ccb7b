FROM alpine:3.20
COPY --from=1 /out /app
USER 10001
