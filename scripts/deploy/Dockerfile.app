# docker build -t app -f Dockerfile.app .
FROM debian:12-slim
RUN apt-get -qq update && apt-get -qq -y install --no-install-recommends python3-minimal
COPY app.py /app/app.py
CMD ["/usr/bin/python3", "/app/app.py"]

# The two lines, the last ones, so that nothing above runs under Spillway:
COPY --from=spillway /libspillway.so /usr/local/lib/libspillway.so
ENV LD_PRELOAD=/usr/local/lib/libspillway.so SPILLWAY_CONF=limit:80%,pressure:10
