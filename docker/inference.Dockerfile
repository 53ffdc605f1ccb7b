# vLLM. Only the api may reach it: with adapters loaded at run time, its routes are no routes for users.
# A digest pins it: --build-arg VLLM_IMAGE=vllm/vllm-openai:v0.32.0@sha256:...
ARG VLLM_IMAGE=vllm/vllm-openai:v0.32.0
FROM ${VLLM_IMAGE}
RUN groupadd --system --gid 10001 inframind \
 && useradd --system --uid 10001 --gid 10001 --home-dir /data inframind \
 && install --directory --owner=10001 --group=10001 /data
ENV HF_HUB_OFFLINE=1 \
    VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 \
    VLLM_NO_USAGE_STATS=1
WORKDIR /data
USER 10001:10001
EXPOSE 8001
HEALTHCHECK --interval=10s --timeout=3s --start-period=300s --retries=3 \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8001/health', timeout=2)"]
ENTRYPOINT ["python3", "-m", "vllm.entrypoints.openai.api_server"]
CMD ["--host", "0.0.0.0", "--port", "8001", "--model", "Qwen/Qwen2.5-0.5B-Instruct", "--enable-lora", "--max-lora-rank", "64", "--max-loras", "8"]
